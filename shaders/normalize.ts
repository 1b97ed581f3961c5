import { aligned, type Block, common, type Dispatch, list, named, product, type Shader } from './dispatch.js'

/** Four channels of a pixel at a time where they are aligned. */
function byChannels(p: Block, entry: string, constants: readonly string[] = []): Dispatch {
  const buffers = ['x', 'y', ...constants].map(name => p[`${name}At`])
  const vector = aligned(p.channels, ...buffers, ...named(p, 'x', 4), ...named(p, 'y', 4))
  const LANES = vector ? 4 : 1
  return {
    files: ['index', 'loops', ...common, 'lanes', 'operands', 'normalize'],
    entry,
    constants: { LANES },
    vector,
    groups: list(product(...named(p, 'k', 4), p.channels / LANES))
  }
}

export const scaleShift: Shader = {
  block: 'ScaleShift',
  either: ['scale', 'shift'],
  dispatches: p => [byChannels(p, 'scaleShift', ['scale', 'shift'])]
}

export const lrn: Shader = {
  block: 'Lrn',
  dispatches: p => [byChannels(p, 'lrn')]
}
