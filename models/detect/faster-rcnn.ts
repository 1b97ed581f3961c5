// Faster R-CNN. Ren, He, Girshick and Sun 2015, "Faster R-CNN: towards real-time object detection with region proposal
// networks", section 3, over the first three stages of ResNet-18 (stride 16), with RoIAlign (He et al. 2017, "Mask
// R-CNN", section 3) in the place of RoI pooling and two fully connected layers as the head. Pictures and classes are
// kept apart in the last suppression by moving their boxes away from each other, as torchvision does.
import { type BuildOptions, GraphBuilder } from '../builder/builder.js'
import { type Attribute, Tensor } from '../builder/tensor.js'
import { resnetFeatures } from '../resnet.js'

export interface DetectorOptions extends BuildOptions {
  /** Height and width of the pictures, a multiple of 16; 224 by default. */
  size?: number
  /** Regions that the first suppression leaves of each picture, 32 by default. */
  proposals?: number
  /** Units of the head's layers, 1024 by default. */
  units?: number
  /** The most boxes that a batch is given, 100 by default. */
  detections?: number
}

const stride = 16
const ratios = [0.5, 1, 2]
/** Sides of the square anchors, in strides. */
const scales = [2, 4, 8]
/** Where the exponent of a box's growth ends. */
const largestGrowth = Math.log(1000 / 16)

/** Centre and size of every anchor, for each place of the map, row by row. */
function anchorsOf(places: number): { centres: number[]; sizes: number[] } {
  const [centres, sizes]: number[][] = [[], []]
  for (let i = 0; i < places * places; i++) {
    const [x, y] = [i % places, Math.floor(i / places)].map(at => (at + 0.5) * stride)
    for (const ratio of ratios) {
      for (const scale of scales) {
        centres.push(x, y)
        sizes.push((scale * stride) / Math.sqrt(ratio), scale * stride * Math.sqrt(ratio))
      }
    }
  }
  return { centres, sizes }
}

/** Nodes by the names of their values, where the batch is no longer what comes first. */
class Nodes {
  constructor(private readonly graph: GraphBuilder) {}

  add(name: string, opType: string, inputs: string[], attributes: Record<string, Attribute> = {}): string {
    return this.many(name, opType, inputs, 1, attributes)[0]
  }

  many(
    name: string,
    opType: string,
    inputs: string[],
    count: number,
    attributes: Record<string, Attribute> = {}
  ): string[] {
    const outputs = Array.from({ length: count }, (_, i) => this.graph.unique(count > 1 ? `${name}.${i}` : name))
    this.graph.node(opType, outputs, inputs, attributes)
    return outputs
  }

  number(value: number): string {
    return this.graph.constant([value], [])
  }

  shaped(name: string, x: string, shape: number[]): string {
    return this.add(name, 'Reshape', [x, this.graph.ints(shape)])
  }

  /** Column `at` of rows. */
  column(name: string, rows: string, at: number): string {
    const column = this.add(`${name}.column`, 'Gather', [rows, this.graph.ints([at])], { axis: 1 })
    return this.shaped(name, column, [-1])
  }

  /**
   * Boxes of centres and sizes moved by `deltas`, clipped to the picture (the paper's parametrisation, section 3.1.2,
   * whose `weights` are the deviations that training divides by).
   */
  decode(name: string, boxes: { centres: string; sizes: string }, deltas: string, weights: number[], size: number) {
    const { graph } = this
    const weighted = this.add(`${name}.weighted`, 'Mul', [deltas, graph.constant(weights, [4])])
    const parts = [weighted, graph.ints([2, 2])]
    const [shift, growth] = this.many(`${name}.parts`, 'Split', parts, 2, { axis: -1 })
    const moved = this.add(`${name}.shift`, 'Mul', [shift, boxes.sizes])
    const centres = this.add(`${name}.centre`, 'Add', [moved, boxes.centres])
    const bounded = this.add(`${name}.bounded`, 'Min', [growth, this.number(largestGrowth)])
    const sizes = this.add(`${name}.size`, 'Mul', [this.add(`${name}.growth`, 'Exp', [bounded]), boxes.sizes])
    const half = this.add(`${name}.half`, 'Mul', [sizes, this.number(0.5)])
    const corners = ['Sub', 'Add'].map(op => this.add(`${name}.${op.toLowerCase()}`, op, [centres, half]))
    const all = this.add(`${name}.corners`, 'Concat', corners, { axis: -1 })
    return this.add(name, 'Clip', [all, this.number(0), this.number(size)])
  }

  /** Centres and sizes of corners. */
  extents(name: string, corners: string): { centres: string; sizes: string } {
    const halves = [corners, this.graph.ints([2, 2])]
    const [low, high] = this.many(`${name}.corners`, 'Split', halves, 2, { axis: -1 })
    const sum = this.add(`${name}.sum`, 'Add', [low, high])
    return {
      centres: this.add(`${name}.centres`, 'Mul', [sum, this.number(0.5)]),
      sizes: this.add(`${name}.sizes`, 'Sub', [high, low])
    }
  }
}

interface Regions {
  /** Corners of `proposals` regions for each picture of the batch; zeros behind those that were found. */
  boxes: string
  /** Their pictures; -1 behind those that were found. */
  pictures: string
}

/** The region proposal network. */
function propose(graph: GraphBuilder, features: Tensor, size: number, proposals: number): Regions {
  const nodes = new Nodes(graph)
  const places = size / stride
  const kinds = ratios.length * scales.length
  const anchors = places * places * kinds
  const shared = features.conv('rpn', 256, { kernel: 3, pad: 1 }).relu()
  const objectness = shared.conv('rpn.objectness', kinds, { kernel: 1, init: 'xavier' })
  const deltas = shared.conv('rpn.deltas', 4 * kinds, { kernel: 1, init: 0.01 })

  const perm = { perm: [0, 2, 3, 1] }
  const logits = nodes.shaped('rpn.logits', nodes.add('rpn.rows', 'Transpose', [objectness.name], perm), [0, anchors])
  const scores = nodes.add('rpn.scores', 'Sigmoid', [logits])
  const moves = nodes.shaped('rpn.moves', nodes.add('rpn.boxes.rows', 'Transpose', [deltas.name], perm), [
    0,
    anchors,
    4
  ])
  const { centres, sizes } = anchorsOf(places)
  const given = {
    centres: graph.constant(centres, [1, anchors, 2]),
    sizes: graph.constant(sizes, [1, anchors, 2])
  }
  const boxes = nodes.decode('rpn.boxes', given, moves, [1, 1, 1, 1], size)

  const rows = nodes.add('rpn.found', 'NonMaxSuppression', [
    boxes,
    nodes.shaped('rpn.lines', scores, [0, 1, anchors]),
    graph.ints([proposals]),
    nodes.number(0.7)
  ])
  const where = nodes.add('rpn.where', 'Gather', [rows, graph.ints([0, 2])], { axis: 1 })
  return filled(graph, nodes, proposals, {
    boxes: nodes.add('rpn.kept', 'GatherND', [boxes, where]),
    pictures: nodes.column('rpn.pictures', rows, 0)
  })
}

/** As many regions as there may be: the head is run on all of them, and what was not found counts nothing. */
function filled(graph: GraphBuilder, nodes: Nodes, proposals: number, found: Regions): Regions {
  const count = nodes.add('roi.count', 'Shape', [found.pictures])
  const batch = nodes.add('roi.batch', 'Gather', [nodes.add('roi.input', 'Shape', ['input']), graph.ints([0])])
  const room = nodes.add('roi.room', 'Mul', [batch, graph.ints([proposals])])
  const missing = nodes.add('roi.missing', 'Sub', [room, count])
  const behindRows = nodes.add('roi.boxes.pads', 'Concat', [graph.ints([0, 0]), missing, graph.ints([0])], { axis: 0 })
  const behind = nodes.add('roi.pictures.pads', 'Concat', [graph.ints([0]), missing], { axis: 0 })
  const pictures = nodes.add('roi.pictures.float', 'Cast', [found.pictures], { to: 1 })
  return {
    boxes: nodes.add('roi.boxes', 'Pad', [found.boxes, behindRows, nodes.number(0)]),
    pictures: nodes.add('roi.pictures', 'Pad', [pictures, behind, nodes.number(-1)])
  }
}

/** Features of 7x7 bins of every region, through two fully connected layers. */
function head(features: Tensor, nodes: Nodes, units: number, { boxes, pictures }: Regions): Tensor {
  const inside = nodes.add('roi.inside', 'Max', [pictures, nodes.number(0)])
  const operands = [boxes, nodes.add('roi.images', 'Cast', [inside], { to: 7 })]
  const attributes = { output_height: 7, output_width: 7, sampling_ratio: 2, spatial_scale: { float: 1 / stride } }
  const pooled = features.emit('RoiAlign', 'roi.align', operands, attributes, { shape: [features.channels, 7, 7] })
  return pooled.flatten().gemm('fc6', units).relu().gemm('fc7', units).relu()
}

/** Rows of picture, class (0 is the first behind the background), probability and corners, best first in each class. */
export function fasterRcnn(options: DetectorOptions = {}): Uint8Array {
  const { size = 224, classes = 20, detections = 100, proposals = 32, units = 1024 } = options
  const graph = new GraphBuilder('faster-rcnn', options)
  const nodes = new Nodes(graph)
  const features = resnetFeatures(graph.input([3, size, size]), { layers: [2, 2, 2], block: 'basic' })
  const regions = propose(graph, features, size, proposals)
  const x = head(features, nodes, units, regions)

  const scores = x.gemm('classes', classes + 1, 0.05).softmax()
  const deltas = nodes.shaped('deltas.classes', x.gemm('deltas', 4 * classes, 0.01).name, [-1, classes, 4])
  const { centres, sizes } = nodes.extents('roi', nodes.shaped('roi.rows', regions.boxes, [-1, 1, 4]))
  const boxes = nodes.decode('boxes', { centres, sizes }, deltas, [0.1, 0.1, 0.2, 0.2], size)

  // What was not found has a probability of 0, below the threshold.
  const found = nodes.add('found', 'GreaterOrEqual', [regions.pictures, nodes.number(0)])
  const weight = nodes.shaped('found.rows', nodes.add('found.float', 'Cast', [found], { to: 1 }), [-1, 1])
  const foreground = [graph.ints([1]), graph.ints([classes + 1]), graph.ints([1])]
  const objects = nodes.add('scores.objects', 'Slice', [scores.name, ...foreground])
  const weighted = nodes.add('scores.found', 'Mul', [objects, weight])

  // One line of all boxes, apart by picture and class.
  const kinds = graph.constant(
    Array.from({ length: classes }, (_, i) => i),
    [1, classes]
  )
  const rowsOfPictures = nodes.shaped('pictures.rows', regions.pictures, [-1, 1])
  const group = nodes.add('groups', 'Add', [
    nodes.add('groups.picture', 'Mul', [rowsOfPictures, nodes.number(classes)]),
    kinds
  ])
  const away = nodes.add('apart.offset', 'Mul', [
    nodes.shaped('groups.rows', group, [-1, classes, 1]),
    nodes.number(2 * size)
  ])
  const line = nodes.shaped('apart.line', nodes.add('apart', 'Add', [boxes, away]), [1, -1, 4])
  const rows = nodes.add('kept', 'NonMaxSuppression', [
    line,
    nodes.shaped('scores.line', weighted, [1, 1, -1]),
    graph.ints([detections]),
    nodes.number(0.5),
    nodes.number(0.05)
  ])

  const kept = nodes.column('kept.at', rows, 2)
  const pick = (name: string, values: string, width: number) =>
    nodes.add(name, 'Gather', [nodes.shaped(`${name}.all`, values, [-1, width]), kept], { axis: 0 })
  const groups = pick('kept.groups', group, 1)
  const picture = nodes.add('kept.pictures', 'Floor', [
    nodes.add('kept.quotients', 'Div', [
      nodes.add('kept.halves', 'Add', [groups, nodes.number(0.5)]),
      nodes.number(classes)
    ])
  ])
  const kind = nodes.add('kept.classes', 'Sub', [
    groups,
    nodes.add('kept.first', 'Mul', [picture, nodes.number(classes)])
  ])
  const parts = [kind, pick('kept.scores', weighted, 1), pick('kept.boxes', boxes, 4)]
  const result = new Tensor(graph, picture, [1], x.moments, 'detections')
  return graph.finish(result.emit('Concat', 'detections', parts, { axis: 1 }, { shape: [7] }), {}, 'detections')
}
