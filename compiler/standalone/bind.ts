import { type Bindings, evaluate, type Program } from '../../runtime/file/index.js'
import { CompileError } from '../errors.js'

/** Values of all free dimensions, as the model takes them. Throws CompileError for others. */
export function bindingsOf({ free, states, constraints, storages }: Program, given: Bindings): Bindings {
  if (states.length) throw new CompileError('target wasm of a training step; networks that infer are allowed')
  for (const [name, size] of Object.entries(given))
    if (!free.includes(name) || !Number.isSafeInteger(size) || size < 0)
      throw new CompileError(
        `dimension ${name}=${size}; whole numbers from 0 for ${free.join(', ') || 'none'} are allowed`
      )
  const open = free.filter(name => given[name] === undefined)
  if (open.length)
    throw new CompileError(
      `target wasm needs all sizes, and ${open.join(', ')} ${open.length === 1 ? 'is' : 'are'} free; give ${open.length === 1 ? 'its size' : 'their sizes'} as shape or dims (--shape NAME=1x3x224x224, --dims ${open[0]}=1)`
    )
  const bindings = Object.fromEntries(free.map(name => [name, given[name]]))
  const at = Object.entries(bindings).map(([name, size]) => `${name}=${size}`)
  for (const { a, b, where } of constraints)
    if (evaluate(a, bindings) !== evaluate(b, bindings))
      throw new CompileError(`${where}: sizes do not fit for ${at.join(', ') || 'its shapes'}; other sizes are allowed`)
  if (storages.some(size => !(evaluate(size, bindings) >= 0)))
    throw new CompileError(`the model leaves nothing of an input with ${at.join(', ')}; larger sizes are allowed`)
  return bindings
}
