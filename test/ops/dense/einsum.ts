// Einsum: one, two and three operands, diagonals, ellipses, implicit outputs.
import { c, type Operand, one, scalar, x } from '../../support/cases/case.js'

const equation = (text: string, ...operands: Operand[]) => one(text, 'Einsum', operands, { equation: text })

export const einsum = [
  equation('ij->ji', x(4, 5)),
  equation('ijk->k', x(3, 4, 5)),
  equation('ij->', x(4, 5)),
  equation('ii->i', x(5, 5)),
  equation('ii', x(5, 5)),
  equation('...ii->...i', x(3, 5, 5)),
  equation('iji->j', x(5, 3, 5)),
  equation('ba', x(4, 5)),
  equation('ij,jk->ik', x(4, 5), x(5, 6)),
  one('with a constant', 'Einsum', [x(4, 5), c(5, 6)], { equation: 'ij,jk->ik' }),
  equation('ij,jk', x(4, 5), x(5, 6)),
  equation('ij,kj->ik', x(4, 5), x(6, 5)),
  equation('i,i', x(7), x(7)),
  equation('i,j->ij', x(4), x(5)),
  equation('ij,ij->ij', x(4, 5), x(4, 5)),
  equation('ij,ij->i', x(4, 5), x(4, 5)),
  equation('bij,bjk->bik', x(3, 4, 5), x(3, 5, 6)),
  equation('bhqd,bhkd->bhqk', x(2, 3, 4, 8), x(2, 3, 5, 8)),
  equation('bqhd,bkhd->bhqk', x(2, 4, 3, 8), x(2, 5, 3, 8)),
  equation('bhqk,bkhd->bqhd', x(2, 3, 4, 5), x(2, 5, 3, 8)),
  equation('nchw,cd->ndhw', x(2, 3, 4, 5), c(3, 6)),
  equation('bnc,hcd->bnhd', x(2, 5, 6), c(3, 6, 4)),
  equation('nkctv,kvw->nctw', x(2, 3, 4, 5, 6), c(3, 6, 6)),
  equation('ijk,jl->ikl', x(3, 4, 5), x(4, 6)),
  equation('ijk,l->l', x(3, 4, 5), x(6)),
  equation('...ij,...jk->...ik', x(2, 3, 4, 5), x(1, 3, 5, 6)),
  equation('b...d,dk->b...k', x(2, 3, 4, 5), c(5, 6)),
  equation('...i,...i', x(3, 4), x(3, 4)),
  equation('ij,jk,kl->il', x(4, 5), x(5, 6), x(6, 3)),
  equation('a,ab,abc->abc', x(4), x(4, 5), x(4, 5, 3)),
  equation('bij, bj -> bi', x(3, 1, 5), x(3, 5)),
  equation('ij,->ij', x(4, 5), scalar(3)),
  equation('bij,bj->bij', x(3, 4, 5), x(3, 5)),
  equation('abi,abj->abij', x(2, 3, 4), x(2, 3, 5)),
  one(
    'free sizes of two names',
    'Einsum',
    [x('N', 'L', 8), x('M', 8, 5)],
    { equation: 'nld,ndk->nlk' },
    {
      bindings: [
        { N: 2, M: 2, L: 3 },
        { N: 1, M: 1, L: 7 }
      ]
    }
  ),
  one(
    'free sizes',
    'Einsum',
    [x('N', 'L', 8), x('N', 'M', 8)],
    { equation: 'nld,nmd->nlm' },
    {
      bindings: [
        { N: 2, L: 3, M: 5 },
        { N: 1, L: 7, M: 2 }
      ]
    }
  )
]
