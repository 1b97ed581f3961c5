// What is computed of as many rows as a run finds, and of their number: operators along the counted axis, padding to a fixed
// count, and detectors as exporters write them, whole; against onnxruntime-node on every backend, with nothing found, some
// and more than is wanted.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { build } from '../../compiler/index.js'
import { detectors } from '../networks/patterns/detectors.js'
import { compileModel, presentBackends, Runner } from '../support/cairn.js'
import { assertClose } from '../support/compare.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { Oracle, randomFeeds } from '../support/onnx/oracle.js'
import { isSteady } from '../support/onnx/steady.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`counts (seed ${baseSeed})`)
const cap = 15

/** Of one image, at most so many boxes that are better than 0.5. */
interface Found {
  readonly rows: string
  readonly boxes: string
  readonly scores: string
  /** Indices, boxes and scores of what is found. */
  readonly keep: string
  readonly kept: string
  readonly best: string
}

function find(m: ModelBuilder, most = cap, count = 40): Found {
  const boxes = m.input([count, 4], 'float32', [0, 10])
  const scores = m.input([count], 'float32', [0, 1], `score_${most}`)
  const batch = m.add('Unsqueeze', [boxes, m.ints([0])])
  const line = m.add('Unsqueeze', [scores, m.ints([0, 1])])
  const rows = m.add('NonMaxSuppression', [batch, line, m.ints([most]), m.scalar(0.4), m.scalar(0.5)])
  const keep = m.add('Squeeze', [m.add('Slice', [rows, m.ints([2]), m.ints([3]), m.ints([1])]), m.ints([1])])
  const kept = m.add('Gather', [boxes, keep], { axis: 0 })
  return { rows, boxes, scores, keep, kept, best: m.add('Gather', [scores, keep], { axis: 0 }) }
}

const index = (m: ModelBuilder, value: number) => m.constant({ dtype: 'int64', dims: [], data: [value] })
/** How many there are, as a list of one. */
const number = (m: ModelBuilder, value: string, axis = 0) =>
  m.add('Slice', [m.add('Shape', [value]), m.ints([axis]), m.ints([axis + 1]), m.ints([0])])
const joined = (m: ModelBuilder, ...parts: string[]) => m.add('Concat', parts, { axis: 0 })
const padded = (m: ModelBuilder, value: string, to: number, fill = 0) => {
  const missing = m.add('Sub', [m.ints([to]), number(m, value)])
  return m.add('Pad', [value, joined(m, m.ints([0, 0]), missing, m.ints([0])), m.scalar(fill)])
}
const first = (m: ModelBuilder, value: string, end: string) => m.add('Slice', [value, m.ints([0]), end, m.ints([0])])

type Make = (m: ModelBuilder) => string | readonly string[]

const made: Readonly<Record<string, Make>> = {
  'their number': m => number(m, find(m).rows),
  'their number, computed with': m => {
    const n = number(m, find(m).rows)
    const half = m.add('Div', [m.add('Add', [m.add('Mul', [n, m.ints([3])]), m.ints([1])]), m.ints([2])])
    return [half, m.add('Min', [n, m.ints([5])]), m.add('Mul', [m.add('Cast', [n], { to: 1 }), m.scalar(0.5)])]
  },
  'the whole shape': m => m.add('Shape', [find(m).kept]),
  'whether there are any': m => m.add('Greater', [number(m, find(m).rows), m.ints([0])]),
  'Pad to a fixed count': m => padded(m, find(m).kept, 20, -1),
  'Pad to fewer than there may be': m => padded(m, find(m).kept, 6, 0.5),
  'Pad by a fixed number, in front and behind': m => m.add('Pad', [find(m).best, m.ints([2, 3]), m.scalar(7)]),
  'Pad of other axes': m => m.add('Pad', [find(m).kept, m.ints([0, 1, 0, 2]), m.scalar(7)]),
  'Pad of a fixed tensor by their number': m =>
    m.add('Pad', [m.input([4]), joined(m, m.ints([0]), number(m, find(m).rows)), m.scalar(3)]),
  'the first few': m => first(m, find(m).kept, m.ints([4])),
  'the first few, padded': m => padded(m, first(m, find(m).kept, m.ints([4])), 4, -2),
  'all but the first few': m => m.add('Slice', [find(m).kept, m.ints([3]), m.ints([1000]), m.ints([0])]),
  'every second': m => m.add('Slice', [find(m).best, m.ints([1]), m.ints([1000]), m.ints([0]), m.ints([2])]),
  'as many of a fixed tensor': m => first(m, m.input([30, 2]), number(m, find(m).rows)),
  'the best by another order': m => {
    const { kept } = find(m)
    const width = m.add('Squeeze', [m.add('Slice', [kept, m.ints([2]), m.ints([3]), m.ints([1])]), m.ints([1])])
    const k = m.add('Min', [number(m, kept), m.ints([5])])
    const [values, places] = m.addMany('TopK', [width, k], 2)
    return [values, places, m.add('Gather', [kept, places], { axis: 0 })]
  },
  'all in another order, least first': m => {
    const { kept, best } = find(m)
    const [values, places] = m.addMany('TopK', [best, number(m, best)], 2, { largest: 0 })
    return [values, m.add('Gather', [kept, places], { axis: 0 })]
  },
  'k as torchvision computes it': m => {
    const { best } = find(m)
    const n = m.add('Unsqueeze', [m.add('Gather', [m.add('Shape', [best]), index(m, 0)]), m.ints([0])])
    const k = m.add('ReduceMin', [joined(m, m.ints([6]), n)], { keepdims: 0 })
    return m.addMany('TopK', [best, m.add('Reshape', [m.add('Cast', [k], { to: 7 }), m.ints([-1])])], 2)
  },
  'Concat of two': m => joined(m, find(m).kept, find(m, 9).kept),
  'Concat of three and of fixed ones': m =>
    joined(m, m.input([2]), find(m).best, m.input([3]), find(m, 9).best, find(m, 4).best),
  'Concat behind fixed ones': m => joined(m, m.input([2, 4]), find(m).kept),
  'Concat with what makes a fixed count': m => {
    const { best } = find(m)
    const missing = m.add('Sub', [m.ints([cap + 5]), number(m, best)])
    const zeros = m.add('ConstantOfShape', [missing], {
      value: { tensor: { dtype: 'float32', dims: [1], data: [-3] } }
    })
    return m.add('Mul', [joined(m, best, zeros), m.input([cap + 5])])
  },
  'Concat along the columns of a transposed one': m => {
    const [a, b] = [find(m), find(m, 9)].map(({ kept }) => m.add('Transpose', [kept], { perm: [1, 0] }))
    return m.add('Concat', [a, b], { axis: 1 })
  },
  'Concat, the best of it, padded': m => {
    const [a, b] = [find(m), find(m, 9)]
    const [boxes, scores] = [joined(m, a.kept, b.kept), joined(m, a.best, b.best)]
    const k = m.add('Min', [number(m, scores), m.ints([8])])
    const [, places] = m.addMany('TopK', [scores, k], 2)
    return padded(m, m.add('Gather', [boxes, places], { axis: 0 }), 8)
  },
  'Concat of what is not there': m => {
    const { best } = find(m)
    const none = m.add('Slice', [best, m.ints([cap]), m.ints([1000]), m.ints([0])])
    return joined(m, none, best, none)
  },
  'reductions over them': m => {
    const { kept, best } = find(m)
    const boxes = padded(m, kept, 20)
    return [
      m.add('ReduceSum', [kept, m.ints([0])], { keepdims: 0 }),
      m.add('ReduceSum', [best], { keepdims: 0 }),
      m.add('ReduceL2', [kept], { axes: [0] }),
      m.add('ReduceProd', [kept], { axes: [0], keepdims: 0 }),
      m.add('ReduceMax', [joined(m, m.constant({ dtype: 'float32', dims: [1], data: [0.25] }), best)], { keepdims: 0 }),
      m.add('ReduceMin', [joined(m, m.constant({ dtype: 'float32', dims: [1], data: [0.25] }), best)], { axes: [0] }),
      m.add('ReduceMean', [joined(m, m.constant({ dtype: 'float32', dims: [1], data: [0.25] }), best)], { axes: [0] }),
      m.add('ArgMax', [joined(m, m.constant({ dtype: 'float32', dims: [1], data: [0.25] }), best)], { axis: 0 }),
      boxes
    ]
  },
  'boxes moved apart by their largest coordinate': m => {
    const { kept, keep } = find(m)
    const largest = m.add('ReduceMax', [joined(m, m.input([1, 4], 'float32', [0, 10]), kept)], { keepdims: 0 })
    const offset = m.add('Mul', [m.add('Cast', [keep], { to: 1 }), m.add('Add', [largest, m.scalar(1)])])
    return m.add('Add', [kept, m.add('Unsqueeze', [offset, m.ints([1])])])
  },
  'NonMaxSuppression of what is found': m => {
    const { kept, best } = find(m)
    const [boxes, scores] = [m.add('Unsqueeze', [kept, m.ints([0])]), m.add('Unsqueeze', [best, m.ints([0, 1])])]
    const rows = m.add('NonMaxSuppression', [boxes, scores, m.ints([100]), m.scalar(0.05)])
    const column = m.add('Squeeze', [m.add('Gather', [rows, m.ints([2])], { axis: 1 }), m.ints([1])])
    return [rows, padded(m, m.add('Gather', [kept, column], { axis: 0 }), 20)]
  },
  'what is found twice alike': m => {
    const { boxes, scores, kept } = find(m)
    const again = m.add('NonMaxSuppression', [
      m.add('Unsqueeze', [boxes, m.ints([0])]),
      m.add('Unsqueeze', [scores, m.ints([0, 1])]),
      ...[m.ints([cap]), m.scalar(0.4), m.scalar(0.5)]
    ])
    return m.add('Mul', [
      kept,
      m.add('Cast', [m.add('Slice', [again, m.ints([2]), m.ints([3]), m.ints([1])])], { to: 1 })
    ])
  },
  'shapes made of their number': m => {
    const { kept, best } = find(m)
    const n = number(m, kept)
    const column = m.add('Reshape', [best, joined(m, n, m.ints([1]))])
    const wide = m.add('Expand', [column, joined(m, n, m.ints([4]))])
    const flat = m.add('Reshape', [m.add('Mul', [kept, wide]), m.ints([-1])])
    return [flat, m.add('Reshape', [flat, joined(m, m.ints([1]), n, m.ints([2, 2]))], { allowzero: 1 })]
  },
  'a torch expand, whose shape is compared with -1': m => {
    const { best } = find(m)
    const to = joined(m, number(m, best), m.ints([3]))
    const ones = m.add('ConstantOfShape', [m.ints([2])], {
      value: { tensor: { dtype: 'int64', dims: [1], data: [1] } }
    })
    const equal = m.add('Equal', [to, m.add('Mul', [ones, m.ints([-1])])])
    return m.add('Expand', [m.add('Unsqueeze', [best, m.ints([1])]), m.add('Where', [equal, ones, to])])
  },
  'labels of all that are found': m => {
    const n = number(m, find(m).rows)
    return m.add('ConstantOfShape', [n], { value: { tensor: { dtype: 'int64', dims: [1], data: [5] } } })
  },
  'Tile of other axes and Where': m => {
    const { kept } = find(m)
    const tiled = m.add('Tile', [kept, m.ints([1, 2])])
    return m.add('Where', [m.add('Greater', [tiled, m.scalar(5)]), tiled, m.scalar(0)])
  },
  'a mask of a fixed length': m => {
    const n = number(m, find(m).rows)
    const places = m.constant({ dtype: 'int64', dims: [20], data: Array.from({ length: 20 }, (_, i) => i) })
    return m.add('Where', [m.add('Less', [places, n]), m.input([20]), m.scalar(-1)])
  }
}

const ranges = [
  ['none', 0, 0.45],
  ['some', 0, 1],
  ['few', 0, 0.6],
  ['all', 0.55, 1]
] as const

const cases: Readonly<Record<string, Make>> = { ...made, ...detectors }
const backends = await presentBackends()

/**
 * A model, and its runs with scores in each of the ranges, by the oracle; whether something is found in one of them, and the
 * last bits of the inputs decide in none.
 */
async function expectedRuns(make: Make, random: Random) {
  const m = new ModelBuilder(random, 17)
  m.output(...[make(m)].flat())
  const bytes = m.encode()
  const oracle = await Oracle.load(bytes)
  const runs = []
  let steady = true
  for (const [, low, high] of ranges) {
    const scored = m.inputs.map(input =>
      input.name.startsWith('score') ? { ...input, range: [low, high] as const } : input
    )
    const feeds = randomFeeds(scored, random)
    const run = { feeds, expected: await oracle.run(feeds) }
    runs.push(run)
    steady &&= await isSteady(oracle, run, random, { pairs: 2 })
  }
  await oracle.release()
  const isFound = runs.some(({ expected }) => Object.values(expected).some(({ data }) => data.length))
  return { bytes, runs, isFound, isSteady: steady }
}

for (const [name, make] of Object.entries(cases))
  test(name, async () => {
    const random = new Random(name)
    let drawn = await expectedRuns(make, random)
    // Some networks with random weights find nothing in any image, or two boxes of all but the same score: others are drawn.
    for (let more = 0; more < 20 && !(drawn.isFound && drawn.isSteady); more++) drawn = await expectedRuns(make, random)
    assert.ok(drawn.isFound, 'nothing was found')
    assert.ok(drawn.isSteady, 'the last bits of the inputs decide')
    const file = compileModel(drawn.bytes)
    for (const backend of backends) {
      const runner = await Runner.load(file, backend)
      for (const { feeds, expected } of drawn.runs) assertClose(await runner.run(feeds), expected)
      await runner.release()
    }
  })

const refused: Readonly<Record<string, { make: Make; message: RegExp }>> = {
  'more than there may be': {
    make: m => m.addMany('TopK', [find(m).best, m.ints([3])], 2),
    message: /TopK "topk_\d+": k is 3; axis 0 has \S+ elements/
  },
  'edges of what is found': {
    make: m => m.add('Pad', [find(m).best, m.ints([1, 1])], { mode: 'edge' }),
    message: /Pad "pad_\d+": pads an axis by what only the run knows/
  },
  'the last few': {
    make: m => m.add('Slice', [find(m).best, m.ints([-2]), m.ints([1000])]),
    message: /Slice "slice_\d+": cannot take "gather_\d+": only the run knows/
  },
  'each with each': {
    make(m) {
      const [a, b] = [find(m).best, find(m, 9).best]
      return m.add('Sub', [m.add('Unsqueeze', [a, m.ints([1])]), m.add('Unsqueeze', [b, m.ints([0])])])
    },
    message: /Sub "sub_\d+": makes \[.*\]: only the run knows two of its sizes/
  },
  'a branch by their number': {
    make(m) {
      const { rows } = find(m)
      const some = m.add('Squeeze', [m.add('Greater', [number(m, rows), m.ints([0])])])
      return m.add('If', [some], {
        then_branch: m.branch(inner => inner.add('Identity', [rows])),
        else_branch: m.branch(inner => inner.add('Neg', [rows]))
      })
    },
    message: /If "if_\d+": condition "squeeze_\d+" is known only when it runs/
  }
}

for (const [what, { make, message }] of Object.entries(refused))
  test(`${what} cannot be asked for`, () => {
    const m = new ModelBuilder(new Random(what))
    const bytes = m.output(...[make(m)].flat()).encode()
    assert.throws(() => build(bytes), message)
  })

test.run()
