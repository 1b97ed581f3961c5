// Mutations of a decoded ONNX model: what a damaged exporter or somebody with bad intentions could write.
import type { onnx } from 'onnx-proto'
import { ops } from '../../compiler/ops/table.js'
import { attributeProto, tensorProto, valueInfo } from '../support/onnx/model.js'
import type { Random } from '../support/random.js'

type Mutation = (graph: onnx.IGraphProto, random: Random, model: onnx.IModelProto) => void

const sizes = [-1, 0, 1, 2, 3, 7, 1000, 65536, 2 ** 20, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 40, 2 ** 53, -(2 ** 31)]
const floats = [0, -1, 1e-30, 1e30, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.5]
const types = [0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 99, -1]

/** One of a list, where there is one. */
function one<T>(list: readonly T[] | null | undefined, random: Random, change: (item: T) => void): void {
  if (list?.length) change(random.pick(list))
}

/** An entry of a list changed, added or taken away. */
function spoilList(list: unknown[], random: Random, values: readonly unknown[]): void {
  const at = random.int(0, Math.max(list.length - 1, 0))
  const how = random.int(0, 3)
  if (how === 0) list.splice(at, 0, random.pick(values))
  else if (how === 1) list.splice(at, 1)
  else list[at] = random.pick(values)
}

const valuesOf = ({ node, initializer, input }: onnx.IGraphProto) => [
  ...node!.flatMap(({ output }) => output ?? []),
  ...initializer!.map(({ name }) => name!),
  ...input!.map(({ name }) => name!)
]

const bytesOf = (values: readonly bigint[]) => new Uint8Array(BigInt64Array.from(values).buffer)

/** Puts a node between a value and one of its readers. */
function insert(
  graph: onnx.IGraphProto,
  random: Random,
  opType: string,
  operands: onnx.ITensorProto[],
  more: object[] = []
) {
  one(graph.node, random, reader => {
    if (!reader.input?.length) return
    const at = random.int(0, reader.input.length - 1)
    const output = `inserted ${graph.node!.length}`
    const names = operands.map((_, i) => `${output} ${i}`)
    graph.initializer!.push(...operands.map((tensor, i) => ({ ...tensor, name: names[i] })))
    const input = ['ConstantOfShape', 'Range'].includes(opType) ? names : [reader.input[at], ...names]
    graph.node!.splice(graph.node!.indexOf(reader), 0, {
      opType,
      name: output,
      input,
      output: [output],
      attribute: more
    })
    reader.input[at] = output
  })
}

const ints = (...data: number[]) => tensorProto('', { dtype: 'int64', dims: [data.length], data })
const scalar = (value: number) => tensorProto('', { dtype: 'int64', dims: [], data: [value] })

export const onnxMutations: Readonly<Record<string, Mutation>> = {
  'dims of an initializer': ({ initializer }, random) =>
    one(initializer, random, tensor => spoilList((tensor.dims ??= []) as unknown[], random, sizes)),
  'type of an initializer': ({ initializer }, random) =>
    one(initializer, random, tensor => (tensor.dataType = random.pick(types))),
  'bytes of an initializer': ({ initializer }, random) =>
    one(initializer, random, tensor => {
      const raw = tensor.rawData ?? new Uint8Array(0)
      tensor.rawData = random.chance(0.5) ? raw.slice(0, random.int(0, raw.length)) : new Uint8Array(raw.length + 8)
    }),
  'elements of an initializer in a typed field': ({ initializer }, random) =>
    one(initializer, random, tensor => {
      if (random.chance(0.7)) tensor.rawData = undefined
      const field = random.pick(['floatData', 'int32Data', 'int64Data', 'doubleData', 'uint64Data'] as const)
      tensor[field] = Array.from({ length: random.pick([0, 1, 4, 16]) }, () => random.int(0, 9))
    }),
  'elements of an initializer': ({ initializer }, random) =>
    one(initializer, random, tensor => {
      const raw = tensor.rawData
      if (tensor.dataType === 7) {
        const count = Math.floor((raw?.length ?? 0) / 8)
        tensor.rawData = bytesOf(Array.from({ length: count }, () => BigInt(random.pick([...sizes, 2 ** 62]))))
      } else if (tensor.dataType === 1 && raw?.length && raw.length % 4 === 0) {
        const data = new Float32Array(new Uint8Array(raw).buffer)
        data[random.int(0, data.length - 1)] = random.pick(floats)
        tensor.rawData = new Uint8Array(data.buffer)
      }
    }),
  'one integer of an initializer': ({ initializer }, random) =>
    one(
      initializer!.filter(({ dataType, rawData }) => dataType === 7 && rawData?.length && rawData.length % 8 === 0),
      random,
      tensor => {
        const data = new BigInt64Array(new Uint8Array(tensor.rawData!).buffer)
        data[random.int(0, data.length - 1)] = BigInt(random.pick([...sizes, 2 ** 62]))
        tensor.rawData = new Uint8Array(data.buffer)
      }
    ),
  'sparse initializers': (graph, random) =>
    one(graph.initializer, random, values => (graph.sparseInitializer = [{ values, indices: values, dims: [3] }])),
  'shape of an input': ({ input }, random) =>
    one(input, random, ({ type }) => {
      const dim = (type?.tensorType?.shape?.dim ?? []) as unknown[]
      const values = [...sizes.map(dimValue => ({ dimValue })), { dimParam: 'N' }, { dimParam: 'M' }, {}]
      spoilList(dim, random, values)
    }),
  'names of free dimensions': ({ input }, random) =>
    one(input, random, ({ type }) => {
      for (const dim of type?.tensorType?.shape?.dim ?? [])
        if (random.chance(0.6))
          Object.assign(dim, { dimParam: random.pick(['N', 'toString', '__proto__', 'a b\n', 'H']) })
    }),
  'type of an input': ({ input }, random) =>
    one(input, random, info => {
      if (info.type?.tensorType && random.chance(0.8)) info.type.tensorType.elemType = random.pick(types)
      else info.type = random.pick([undefined, {}, { sequenceType: {} }])
    }),
  attribute: ({ node }, random) =>
    one(
      node!.filter(({ attribute }) => attribute?.length),
      random,
      ({ attribute }) =>
        one(attribute, random, a => {
          if (random.chance(0.1)) a.type = random.int(0, 12)
          else if (a.type === 7 || a.type === 6)
            spoilList((a.type === 7 ? a.ints : a.floats) as unknown[], random, sizes)
          else if (a.type === 2) a.i = random.pick(sizes)
          else if (a.type === 1) a.f = random.pick(floats)
          else if (a.type === 3)
            a.s = new TextEncoder().encode(random.pick(['', 'constant', 'SAME_UPPER', 'a\nb', 'x'.repeat(300)]))
          else if (a.t) spoilList((a.t.dims ??= []) as unknown[], random, sizes)
        })
    ),
  'attributes taken away or renamed': ({ node }, random) =>
    one(
      node!.filter(({ attribute }) => attribute?.length),
      random,
      ({ attribute }) => {
        if (random.chance(0.5)) attribute!.splice(random.int(0, attribute!.length - 1), 1)
        else
          one(
            attribute,
            random,
            a => (a.name = random.pick(['axis', 'group', 'act', 'residual', '', 'flatten', '__proto__']))
          )
      }
    ),
  'an attribute added': ({ node }, random) =>
    one(node, random, each => {
      const names = [
        'axis',
        'axes',
        'group',
        'act',
        'residual',
        'flatten',
        'strides',
        'pads',
        'perm',
        'blocksize',
        'mode'
      ]
      const value = random.pick([random.pick(sizes), [random.pick(sizes), 1], 'max', { float: random.pick(floats) }])
      each.attribute = [...(each.attribute ?? []), attributeProto(random.pick(names), value)]
    }),
  'an input of a node': (graph, random) =>
    one(graph.node, random, ({ input }) => spoilList(input!, random, [...valuesOf(graph), '', 'ghost'])),
  'an output of a node': (graph, random) =>
    one(graph.node, random, ({ output }) => spoilList(output!, random, [...valuesOf(graph), '', 'ghost', '__proto__'])),
  'a cycle': ({ node }, random) =>
    one(node, random, ({ input }) => {
      one(node, random, ({ output }) => {
        if (input?.length && output?.length) input[random.int(0, input.length - 1)] = output[0]
      })
    }),
  'names of nodes and values': (graph, random) => {
    const names = ['', 'x'.repeat(1000), 'a\nb', '__proto__', 'constructor', valuesOf(graph)[0]]
    one(graph.node, random, each => (each.name = random.pick(names)))
    if (random.chance(0.5)) one(graph.input, random, each => (each.name = random.pick(names)))
    if (random.chance(0.3)) one(graph.initializer, random, each => (each.name = random.pick(names)))
  },
  operator: ({ node }, random) =>
    one(
      node,
      random,
      each => (each.opType = random.pick([...Object.keys(ops), 'Loop', '', 'toString', '__proto__', 'constructor']))
    ),
  domain: ({ node }, random) =>
    one(node, random, each => (each.domain = random.pick(['', 'ai.onnx', 'ai.onnx.ml', 'x\ny']))),
  'a node taken away': ({ node }, random) => node!.splice(random.int(0, node!.length - 1), 1),
  'a node twice': ({ node }, random) => one(node, random, each => node!.push(each)),
  'the order of nodes': graph => (graph.node = [...graph.node!].reverse()),
  'an output of the model': (graph, random) => {
    const list = graph.output as unknown[]
    spoilList(
      list,
      random,
      [...valuesOf(graph), 'ghost', ''].map(name => ({ name }))
    )
  },
  opsets: (_graph, random, model) => {
    model.opsetImport = [{ version: random.pick([...sizes, 1, 5, 6, 7, 9, 10, 11, 12, 13, 18, 21, 22, 23, 30]) }]
  },
  'external data': ({ initializer }, random) =>
    one(initializer, random, tensor => {
      tensor.dataLocation = 1
      const offset = random.pick(['0', '-1', '1e9', '99999999999', 'NaN', 'x', '', '0.5'])
      const length = random.pick(['0', '-1', '1e9', '4294967296', 'x', '16'])
      const location = random.pick(['weights.bin', '../weights.bin', '/etc/passwd', '', 'C:\\x', 'a\0b'])
      const entries = Object.entries({ location, offset, length }).filter(() => random.chance(0.8))
      tensor.externalData = entries.map(([key, value]) => ({ key, value }))
    }),
  'a huge constant': (graph, random) => {
    const size = random.pick([2 ** 12, 2 ** 16, 2 ** 20, 2 ** 24, 2 ** 28, 2 ** 31, 2 ** 40])
    const other = random.pick([1, 2, 2 ** 10, 2 ** 16])
    const made = random.int(0, 5)
    if (made === 0) insert(graph, random, 'ConstantOfShape', [ints(size, other)])
    else if (made === 1) insert(graph, random, 'Range', [scalar(0), scalar(size), scalar(1)])
    else if (made === 2) insert(graph, random, 'Expand', [ints(size, other, 1)])
    else if (made === 3) insert(graph, random, 'Tile', [ints(...[1, 1, size, other].slice(0, random.int(1, 4)))])
    else if (made === 4) insert(graph, random, 'Pad', [ints(0, 0, size, other, 0, 0, size, other)])
    else {
      const scales = tensorProto('', { dtype: 'float32', dims: [4], data: [1, 1, size, other] })
      insert(graph, random, 'Resize', [tensorProto('', { dtype: 'float32', dims: [0], data: [] }), scales])
    }
  },
  'many huge constants': (graph, random) => {
    for (let i = 0; i < 30; i++) {
      const fill = tensorProto('', { dtype: 'float32', dims: [1], data: [i] })
      insert(graph, random, 'ConstantOfShape', [ints(2 ** 23)], [{ name: 'value', type: 4, t: fill }])
    }
  },
  'products of huge constants': (graph, random) => {
    const size = random.pick([64, 512, 4096])
    for (const name of ['huge a', 'huge b'])
      graph.node!.unshift({ opType: 'ConstantOfShape', input: ['huge shape'], output: [name] })
    graph.initializer!.push({ ...ints(size, size), name: 'huge shape' })
    graph.node!.splice(2, 0, { opType: 'MatMul', input: ['huge a', 'huge b'], output: ['huge product'] })
    graph.output!.push({ name: 'huge product' })
  },
  'sizes of sizes': (graph, random) => {
    const input = valuesOf(graph).at(-1)!
    const last = (i: number) => (i ? `size ${i - 1}` : 'sizes')
    const opType = random.pick(['Mul', 'Add', 'Max', 'Div'])
    const steps = random.pick([5, 20, 70])
    graph.node!.push({ opType: 'Shape', input: [input], output: ['sizes'] })
    for (let i = 0; i < steps; i++)
      graph.node!.push({
        opType: i % 2 ? opType : random.pick(['Mul', 'Min']),
        input: [last(i), last(i)],
        output: [`size ${i}`]
      })
    graph.node!.push({ opType: 'ConstantOfShape', input: [last(steps)], output: ['sized'] })
    graph.output!.push({ name: 'sized' })
  },
  'growth by concatenation': (graph, random) => {
    const input = random.pick(valuesOf(graph))
    for (let i = 0; i < 40; i++) {
      const from = i ? `grown ${i - 1}` : input
      const attribute = [attributeProto('axis', 0)]
      graph.node!.push({ opType: 'Concat', input: [from, from], output: [`grown ${i}`], attribute })
    }
    graph.output!.push({ name: 'grown 39' })
  },
  'an input added': ({ input }, random) => {
    const dims = random.pick([[], [0], [2 ** 31, 2 ** 31], ['N', 'N'], new Array(40).fill(2)])
    input!.push(valueInfo('extra', 'float32', dims))
  },
  'rank of everything': ({ input, initializer }, random) => {
    one(input, random, ({ type }) => {
      if (type?.tensorType) type.tensorType.shape = { dim: new Array(random.int(0, 12)).fill({ dimValue: 2 }) }
    })
    one(initializer, random, tensor => tensor.dims!.push(...new Array(random.int(1, 9)).fill(1)))
  }
}

/** Changes after which a model means the same. */
export const harmless: Readonly<Record<string, Mutation>> = {
  'texts that nobody reads': (graph, random, model) => {
    graph.docString = 'x'.repeat(random.int(0, 2000))
    model.producerName = 'a\nb'
    one(graph.node, random, each => (each.docString = 'text'))
  },
  'the order of initializers': (graph, random) => (graph.initializer = random.shuffled(graph.initializer!)),
  'an initializer that nobody reads': ({ initializer }) =>
    initializer!.push({ ...ints(1, 2, 3), name: 'nobody reads' }),
  'a node that nobody reads': (graph, random) => {
    const input = [random.pick([...graph.input!.map(each => each.name!), graph.node![0].output![0]])]
    graph.node!.push({ opType: 'Relu', name: 'nobody reads', input, output: ['nobody reads'] })
  },
  'other names of nodes': ({ node }) => node!.forEach((each, i) => (each.name = `other ${i}`)),
  'the standard domain by its name': ({ node }) => {
    for (const each of node!) if (!each.domain) each.domain = 'ai.onnx'
  }
}
