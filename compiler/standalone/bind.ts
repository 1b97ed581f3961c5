import { CairnError, FormatError } from '../../runtime/base/index.js'
import { checkBound } from '../../runtime/check/index.js'
import { type Bindings, evaluate, type Program } from '../../runtime/file/index.js'
import { CompileError } from '../errors.js'
import { placeModel } from './place.js'

/** Sizes for a module, and the bytes of memory that it may need. */
interface Given {
  readonly dims?: Bindings
  readonly maxMemory?: number
}

/** What 32-bit addresses reach. */
const mostMemory = 2 ** 32

/** Values of all free dimensions, as the model and a memory take them. Throws CompileError for others. */
export function bindingsOf(program: Program, options: Given): Bindings {
  const { free, states, constraints, storages } = program
  const given = options.dims ?? {}
  if (states.length) throw new CompileError('target wasm of a training step; networks that infer are allowed')
  for (const [name, size] of Object.entries(given)) {
    if (!free.includes(name))
      throw new CompileError(`no free dimension "${name}"; the model has ${free.join(', ') || 'none'}`)
    if (!Number.isSafeInteger(size) || size < 1)
      throw new CompileError(`dimension ${name}=${size}; whole numbers from 1 are allowed`)
  }
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
  try {
    checkBound(program, bindings)
  } catch (error) {
    if (!(error instanceof FormatError || error instanceof CairnError)) throw error
    const why = error.message.replace(/^the file's calls are not valid: /, '')
    throw new CompileError(`${sized(bindings)} the model cannot run: ${why}; smaller sizes are allowed`)
  }
  refuseLarge(placeModel(program, bindings).end(), bindings, options)
  return bindings
}

/** Throws CompileError for more memory than a module may have. */
export function refuseLarge(bytes: number, bindings: Bindings, { maxMemory = mostMemory }: Given): void {
  const most = Math.min(maxMemory, mostMemory)
  if (!(bytes <= most))
    throw new CompileError(
      `${sized(bindings)} the module needs ${bytes} bytes of memory; ${most} are allowed (${maxMemory < mostMemory ? 'maxMemory' : 'what 32-bit addresses reach'})`
    )
}

function sized(bindings: Bindings): string {
  const dims = Object.entries(bindings).map(([name, size]) => `${name}=${size}`)
  return dims.length ? `with dims ${dims.join(', ')}` : 'with its sizes'
}
