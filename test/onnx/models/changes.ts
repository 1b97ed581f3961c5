// One change to one field of a model: what a faulty exporter might write.
import { decodeModel, encodeModel } from '../../support/onnx/model.js'
import type { Random } from '../../support/random.js'
import { network } from './opsets.js'

const odd = [0, -1, 1, 2, 7, -9, 1e6, 2 ** 31, 2 ** 40]

export function changedField(random: Random): [what: string, bytes: Uint8Array] {
  const proto = decodeModel(network(random.pick([7, 10, 13, 18]), random).encode())
  const graph = proto.graph!
  const node = random.pick(graph.node!)
  const tensor = random.pick(graph.initializer!)
  const [attribute] = random.shuffled(node.attribute ?? [])
  const inputs = node.input!
  const change = random.int(0, 11)
  if (change === 0) inputs.splice(random.int(0, inputs.length - 1), 1)
  else if (change === 1) inputs[random.int(0, inputs.length - 1)] = random.pick(graph.node!).output![0]
  else if (change === 2) tensor.dims = tensor.dims!.map(size => (random.chance(0.5) ? random.pick(odd) : size))
  else if (change === 3) tensor.dataType = random.int(0, 24)
  else if (change === 4 && attribute?.ints?.length)
    attribute.ints[random.int(0, attribute.ints.length - 1)] = random.pick(odd)
  else if (change === 5 && attribute?.ints) attribute.ints = attribute.ints.slice(1)
  else if (change === 6 && attribute) attribute.type = random.int(0, 14)
  else if (change === 7) node.opType = random.pick(graph.node!).opType
  else if (change === 8) inputs.push(random.pick(graph.initializer!).name!)
  else if (change === 9) inputs[random.int(0, inputs.length - 1)] = ''
  else if (change === 10) inputs[random.int(0, inputs.length - 1)] = random.pick(graph.initializer!).name!
  else graph.input![0].type!.tensorType!.shape!.dim![random.int(0, 3)] = { dimValue: random.pick(odd) }
  return [`change ${change} at ${node.opType} ${attribute?.name ?? ''} ${tensor.name}`, encodeModel(proto)]
}
