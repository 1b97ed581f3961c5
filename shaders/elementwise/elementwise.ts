import { aligned, common, list, named, product, type Shader } from '../dispatch.js'

/** A kernel of six loops whose operands are `x` … and whose output is `y`, four elements at a time where that works. */
function elementwise(block: string, entry: string, operands: readonly string[]): Shader {
  return {
    block,
    either: operands,
    dispatches(p) {
      const count = product(...named(p, 'd', 6))
      const quads = (name: string) =>
        (p[`${name}5`] === 1 || (p[`${name}5`] === 0 && name !== 'y')) &&
        (p[`${name}5`] === 0 || aligned(p[`${name}At`], ...named(p, name, 5)))
      const vector = p.d5 % 4 === 0 && [...operands, 'y'].every(quads)
      return [
        {
          files: ['index', ...common, 'binary', 'nest', 'elementwise'],
          entry: vector ? `${entry}4` : entry,
          vector,
          groups: list(vector ? count / 4 : count)
        }
      ]
    }
  }
}

export const unary = elementwise('Unary', 'unary', ['x'])
export const binary = elementwise('Binary', 'binary', ['a', 'b'])
export const where = elementwise('Where', 'choose', ['c', 'a', 'b'])
