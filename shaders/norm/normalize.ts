import { aligned, type Block, common, type Dispatch, inLanes, named, product, type Shader } from '../dispatch.js'

/** Four channels of a pixel at a time where they are aligned. */
function byChannels(p: Block, entry: string, constants: readonly string[] = []): Dispatch {
  const buffers = ['x', 'y', ...constants].map(name => p[`${name}At`])
  const vector = aligned(p.channels, ...buffers, ...named(p, 'x', 4), ...named(p, 'y', 4))
  const files = ['index', 'loops', ...common, 'lanes', 'operands', 'normalize']
  return inLanes(files, entry, vector, product(...named(p, 'k', 4), p.channels))
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
