import { refuse } from '../../errors.js'
import type { Node, Value } from '../../graph/index.js'
import { channelsLastOrder, describe, fields, intsOf, kernel, numbered, type Op, type View } from '../op.js'

/** The positions in these lists are the kernel's `mode` and `padding`. */
export const samplings = ['nearest', 'linear', 'cubic']
/** The kernel's `corners` where places are pixels. */
const inPixels = 2
export const gridPaddings = ['zeros', 'border', 'reflection']

/** What opsets before 20 call two of them. */
const older: Readonly<Record<string, string>> = { bilinear: 'linear', bicubic: 'cubic' }

/**
 * Pixels of an image at the places that a grid names, from -1 to 1 across it or, where `corners` is 2, in pixels from the first;
 * n and m are the sizes of the image and of the grid, rows first. A place outside is moved inside before its neighbours are looked up, but for cubic at a border.
 */
export const gridSampleKernel = kernel({
  name: 'gridSample',
  fields: {
    mode: 'u32',
    padding: 'u32',
    corners: 'u32',
    batch: 'u32',
    channels: 'u32',
    ...fields('n', 2),
    ...fields('m', 2),
    ...fields('x', 3),
    ...fields('g', 4),
    ...fields('y', 3)
  },
  buffers: { x: 'read', grid: 'read', y: 'write' },
  reference(p, { x, grid, y }) {
    for (let b = 0; b < p.batch; b++)
      for (let i = 0; i < p.m0; i++)
        for (let j = 0; j < p.m1; j++) {
          const named = b * p.g0 + i * p.g1 + j * p.g2
          const rows = taps(p, grid[named + p.g3], p.n0)
          const columns = taps(p, grid[named], p.n1)
          for (let c = 0; c < p.channels; c++) {
            let sum = 0
            for (const row of rows)
              for (const column of columns)
                sum += row.weight * column.weight * x[b * p.x0 + row.at * p.x1 + column.at * p.x2 + c]
            y[b * p.y0 + i * p.y1 + j * p.y2 + c] = sum
          }
        }
  }
})

interface Tap {
  readonly at: number
  readonly weight: number
}

/** What an axis of `size` has near a place between -1 and 1. */
function taps(p: Readonly<Record<'mode' | 'padding' | 'corners', number>>, place: number, size: number): Tap[] {
  const [low, high] = p.corners ? [0, size - 1] : [-0.5, size - 0.5]
  // Rounded as onnxruntime rounds, so that ties and borders fall alike.
  const { fround } = Math
  const more = fround(place + 1)
  let at = p.corners ? fround(fround(more / 2) * (size - 1)) : fround(fround(fround(more * size) - 1) / 2)
  if (p.corners === inPixels) at = place
  if (p.mode === 0) at = roundEven(at)
  if (!(at >= low && at <= high)) {
    if (p.padding === 1 && p.mode !== 2) at = Math.min(Math.max(at, 0), size - 1)
    if (p.padding === 2) at = reflected(at, low, high)
  }
  const first = p.mode === 2 ? Math.floor(at) - 1 : Math.floor(at)
  const part = at - Math.floor(at)
  const weights = p.mode === 0 ? [1] : p.mode === 1 ? [1 - part, part] : cubic(part)
  return weights.flatMap((weight, i) => {
    const index = first + i
    if (index >= 0 && index < size) return [{ at: index, weight }]
    if (p.padding === 0 || Number.isNaN(index)) return []
    const inside = p.padding === 2 ? Math.trunc(reflected(index, low, high)) : index
    return [{ at: Math.min(Math.max(inside, 0), size - 1), weight }]
  })
}

function roundEven(value: number): number {
  const down = Math.floor(value)
  if (value - down !== 0.5) return Math.round(value)
  return down % 2 === 0 ? down : down + 1
}

/** `at` folded back at the borders until it is between them. */
function reflected(at: number, low: number, high: number): number {
  const range = high - low
  if (range === 0) return low
  const beyond = at < low ? low - at : at - high
  if (!(beyond > 0)) return at
  const folds = Math.floor(beyond / range)
  const rest = beyond - folds * range
  return at < low === (folds % 2 === 0) ? low + rest : high - rest
}

/** Keys' cubic convolution with a = -3/4. */
function cubic(part: number): number[] {
  const a = -0.75
  const near = (z: number) => ((a + 2) * z - (a + 3)) * z * z + 1
  const far = (z: number) => ((a * z - 5 * a) * z + 8 * a) * z - 4 * a
  return [far(part + 1), near(part), near(1 - part), far(2 - part)]
}

function settingsOf(node: Node) {
  const choice = (name: string, fallback: string, list: readonly string[]) => {
    const text = node.text(name, fallback)
    const found = list.indexOf(older[text] ?? text)
    if (found >= 0) return found
    throw refuse(node, `${name} is ${text}; ${list.join(', ')} are allowed`)
  }
  return {
    mode: choice('mode', 'linear', samplings),
    padding: choice('padding_mode', 'zeros', gridPaddings),
    corners: node.op === 'SampleAt' ? inPixels : Number(node.number('align_corners', 0) !== 0)
  }
}

const gridSample: Op = {
  required: 2,
  infer(node) {
    const [x, grid] = node.inputs
    settingsOf(node)
    if (x!.rank !== 4) throw refuse(node, `samples an input of ${x!.rank} axes; four (N, C, H, W) are allowed`)
    if (grid!.rank !== 4 || grid!.shape[3] !== 2 || !node.expectEqual(grid!.shape[0], x!.shape[0]))
      throw refuse(node, `the grid "${grid!.name}" must have the shape N×H×W×2`)
    node.output.shape = [x!.shape[0], x!.shape[1], grid!.shape[1], grid!.shape[2]]
    node.output.dtype = x!.dtype
  },
  layout: 'channelsLast',
  lower(node, to) {
    const [image, grid] = node.inputs as Value[]
    const given = to.view(image)
    // A constant lies as the model has it.
    const x = given.strides[1] === 1 || given.shape[1] === 1 ? given : to.dense(image, channelsLastOrder(4))
    const places = to.view(grid)
    const y = to.view(node.output)
    const [batch, channels, ...outer] = y.shape
    const pixels = ({ strides }: View) => [strides[0], strides[2], strides[3]]
    to.call(
      gridSampleKernel,
      {
        ...settingsOf(node),
        batch,
        channels,
        ...numbered('n', x.shape.slice(2)),
        ...numbered('m', outer),
        ...numbered('x', pixels(x)),
        ...numbered('g', places.strides),
        ...numbered('y', pixels(y))
      },
      { x, grid: places, y }
    )
  }
}

/** What the decompose pass spells: where the rows of `theta` take each place of a grid of the given size. */
const affineGrid: Op = {
  required: 2,
  infer(node) {
    const theta = node.inputs[0]!
    const size = intsOf(node, 1, 'size')!
    const axes = size.length - 2
    const fits = theta.rank === 3 && theta.shape[1] === axes && theta.shape[2] === axes + 1
    if ((axes !== 2 && axes !== 3) || !fits || !node.expectEqual(theta.shape[0], size[0]))
      throw refuse(
        node,
        `takes theta N×2×3 for a size of 4 and N×3×4 for one of 5, not ${describe(theta)} for ${size.length}`
      )
    node.output.shape = [size[0], ...size.slice(2), axes]
    node.output.dtype = theta.dtype
  }
}

export const sampling: Record<string, Op> = {
  GridSample: gridSample,
  /** At places in pixels: what a DeformConv is made of. */
  SampleAt: gridSample,
  AffineGrid: affineGrid
}
