// Functions that a model brings along, inlined: compared with onnxruntime-node, or where that cannot read them with the same
// model written without; and nodes in any order.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { build, CompileError } from '../../compiler/index.js'
import { compileModel, Runner } from '../support/cairn.js'
import { assertClose } from '../support/compare.js'
import { type Fun, graph, Kind, node, number, reference, whole, withFunctions } from '../support/onnx/functions.js'
import { encodeModel, float, ModelBuilder } from '../support/onnx/model.js'
import { Oracle, randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'

const test = suite(`functions (seed ${baseSeed})`)

interface Example {
  readonly make: (m: ModelBuilder) => string | string[]
  readonly functions: readonly Fun[]
  readonly opset?: number
  readonly overloads?: Readonly<Record<string, string>>
  /** The same without functions, where onnxruntime does not read them as ONNX says. */
  readonly instead?: { readonly opset?: number; readonly make: (m: ModelBuilder) => string | string[] }
}

const swish: Fun = {
  name: 'Swish',
  inputs: ['a'],
  outputs: ['b'],
  nodes: [node('Sigmoid', ['a'], ['s']), node('Mul', ['a', 's'], ['b'])]
}
const leaky: Fun = {
  name: 'Leaky',
  inputs: ['a'],
  outputs: ['b'],
  attributes: ['slope'],
  nodes: [node('LeakyRelu', ['a'], ['b'], [reference('alpha', 'slope')])]
}
const block: Fun = {
  name: 'Block',
  inputs: ['a', 'w', 'bias'],
  outputs: ['o'],
  attributes: ['slope'],
  nodes: [
    node('Conv', ['a', 'w', 'bias'], ['s'], [{ name: 'pads', type: Kind.INTS, ints: [1, 1, 1, 1] }]),
    node('own:Swish', ['s'], ['t']),
    node('own:Leaky', ['t'], ['o'], [reference('slope', 'slope')])
  ]
}

const examples: Readonly<Record<string, Example>> = {
  'a block, called twice, that calls others': {
    functions: [block, leaky, swish],
    make(m) {
      const x = m.input(['N', 3, 'H', 5])
      const y = m.add('own:Block', [x, m.weights([4, 3, 3, 3]), m.weights([4])], { slope: float(0.3) })
      return m.add('own:Block', [y, m.weights([2, 4, 3, 3]), m.weights([2])], { slope: float(0.1) })
    }
  },
  'inputs and attributes that are left out': {
    functions: [block, leaky, swish],
    make: m => m.add('own:Block', [m.input([1, 3, 4, 4]), m.weights([4, 3, 3, 3])])
  },
  'an attribute by its default, and one that is given': {
    functions: [{ ...leaky, attributes: [], defaults: [number('slope', 0.7)] }],
    make(m) {
      const x = m.input([3, 4])
      return [m.add('own:Leaky', [x]), m.add('own:Leaky', [x], { slope: float(0.2) })]
    }
  },
  'an attribute that is 0 and not written down': {
    functions: [{ ...leaky, attributes: [], defaults: [{ name: 'slope', type: Kind.FLOAT }] }],
    make: m => m.add('own:Leaky', [m.input([3, 4])])
  },
  'another opset than the model': {
    functions: [
      {
        name: 'Flat',
        inputs: ['a'],
        outputs: ['b'],
        opset: 11,
        nodes: [
          node('Softmax', ['a'], ['s']),
          node('Unsqueeze', ['s'], ['b'], [{ name: 'axes', type: Kind.INTS, ints: [0] }])
        ]
      }
    ],
    make: m => m.add('own:Flat', [m.input([2, 3, 4])]),
    instead: { opset: 11, make: m => m.add('Unsqueeze', [m.add('Softmax', [m.input([2, 3, 4])])], { axes: [0] }) }
  },
  'several outputs, of which some are not asked for': {
    functions: [
      {
        name: 'Pair',
        inputs: ['a'],
        outputs: ['p', 'q', 'r'],
        nodes: [node('Neg', ['a'], ['p']), node('Exp', ['p'], ['q']), node('Sub', ['q', 'a'], ['r'])]
      }
    ],
    make(m) {
      const x = m.input([2, 3])
      const [p, , r] = m.addMany('own:Pair', [x], 3)
      const [only] = m.addMany('own:Pair', [r], 1)
      m.nodes.at(-2)!.output![1] = ''
      return [p, m.add('Add', [r, only])]
    },
    instead: {
      make(m) {
        const x = m.input([2, 3])
        const p = m.add('Neg', [x])
        const r = m.add('Sub', [m.add('Exp', [p]), x])
        return [p, m.add('Add', [r, m.add('Neg', [r])])]
      }
    }
  },
  'an output that is an input': {
    functions: [{ name: 'Both', inputs: ['a'], outputs: ['a', 'b'], nodes: [node('Relu', ['a'], ['b'])] }],
    make: m => m.addMany('own:Both', [m.input([2, 3])], 2),
    instead: {
      make(m) {
        const x = m.input([2, 3])
        return [m.add('Identity', [x]), m.add('Relu', [x])]
      }
    }
  },
  'branches that read the function from outside': {
    functions: [
      {
        name: 'Choice',
        inputs: ['a'],
        outputs: ['o'],
        attributes: ['yes', 'slope'],
        nodes: [
          node('Constant', [], ['flag'], [reference('value_int', 'yes', Kind.INT)]),
          node('Cast', ['flag'], ['c'], [whole('to', 9)]),
          node('Neg', ['a'], ['n']),
          node(
            'If',
            ['c'],
            ['o'],
            [
              {
                name: 'then_branch',
                type: Kind.GRAPH,
                g: graph(
                  [node('LeakyRelu', ['n'], ['l'], [reference('alpha', 'slope')]), node('Add', ['l', 'a'], ['o'])],
                  'o'
                )
              },
              { name: 'else_branch', type: Kind.GRAPH, g: graph([node('own:Swish', ['n'], ['l'])], 'l') }
            ]
          )
        ]
      },
      swish
    ],
    make(m) {
      const x = m.input([2, 3])
      return [0, 1].map(yes => m.add('own:Choice', [x], { yes, slope: float(0.4) }))
    }
  },
  'a call in a branch': {
    functions: [swish],
    make(m) {
      const x = m.input([2, 3])
      const flag = m.constant({ dtype: 'bool', dims: [], data: [1] })
      const call = m.branch(inner => inner.add('own:Swish', [inner.add('Neg', [x])]))
      return m.add('own:Swish', [
        m.add('If', [flag], { then_branch: call, else_branch: m.branch(inner => inner.add('Abs', [x])) })
      ])
    }
  },
  'names that the model uses as well': {
    functions: [swish],
    make(m) {
      const a = m.input([2, 3], 'float32', [-2, 2], 'a')
      const y = m.add('own:Swish', [m.add('Neg', [a])])
      m.nodes.push({ ...node('Abs', [a], [`${m.nodes.at(-1)!.name}/s`]), name: 'taken' })
      return m.add('Add', [y, m.nodes.at(-1)!.output![0]])
    }
  },
  'shape arithmetic inside': {
    functions: [
      {
        name: 'Halves',
        inputs: ['a', 'two'],
        outputs: ['o'],
        nodes: [
          node('Shape', ['a'], ['s'], [whole('start', 2)]),
          node('Div', ['s', 'two'], ['h']),
          node('Shape', ['a'], ['nc'], [whole('end', 2)]),
          node('Concat', ['nc', 'h'], ['to'], [whole('axis', 0)]),
          node('Resize', ['a', '', '', 'to'], ['o'])
        ]
      }
    ],
    make: m => m.add('own:Halves', [m.input([1, 2, 'H', 8]), m.ints([2])])
  },
  'overloads of one name': {
    functions: [
      { ...swish, name: 'Act', overload: 'swish' },
      { ...leaky, name: 'Act', attributes: ['slope'], overload: 'leaky' }
    ],
    overloads: { act_1: 'swish', act_2: 'leaky' },
    make(m) {
      const x = m.input([3, 4])
      return [m.add('own:Act', [x]), m.add('own:Act', [x], { slope: float(0.4) })]
    }
  }
}

/** `bytes` here and `oracle` there; what the outputs are called does not matter. */
async function compare(
  bytes: Uint8Array,
  m: ModelBuilder,
  name: string,
  other = bytes,
  inputs = m.inputs
): Promise<void> {
  const feeds = randomFeeds(m.inputs, new Random(name), { N: 2, H: 6 })
  const oracle = await Oracle.load(other)
  const runner = await Runner.load(compileModel(bytes))
  const expected = await oracle.run(Object.fromEntries(inputs.map((input, i) => [input.name, feeds[m.inputs[i].name]])))
  const actual = Object.values(await runner.run(feeds))
  assertClose(Object.fromEntries(Object.keys(expected).map((output, i) => [output, actual[i]])), expected)
  await runner.release()
  await oracle.release()
}

for (const [name, { make, functions, opset = 17, overloads, instead }] of Object.entries(examples))
  test(name, async () => {
    const m = new ModelBuilder(new Random(name), opset)
    m.output(...[make(m)].flat())
    const other = new ModelBuilder(new Random(name), instead?.opset ?? opset)
    if (instead) other.output(...[instead.make(other)].flat())
    const bytes = withFunctions(m, functions, overloads)
    if (instead) await compare(bytes, m, name, other.encode(), other.inputs)
    else await compare(bytes, m, name)
  })

test("a function goes before ONNX's operator of its name", async () => {
  const m = new ModelBuilder(new Random('own relu'))
  const x = m.input([3, 4])
  const bytes = withFunctions(m.output(m.add('Relu', [x])), [
    { name: 'Relu', domain: '', inputs: ['a'], outputs: ['b'], nodes: [node('Neg', ['a'], ['b'])] }
  ])
  const runner = await Runner.load(compileModel(bytes))
  const feeds = randomFeeds(m.inputs, new Random('own relu'))
  const [{ data }] = Object.values(await runner.run(feeds))
  assert.equal(
    Array.from(data),
    Array.from(feeds[x].data, value => -value)
  )
  await runner.release()
})

const refused: Readonly<
  Record<string, { functions: readonly Fun[]; call?: string; inputs?: number; message: RegExp }>
> = {
  itself: {
    functions: [{ ...swish, nodes: [node('own:Swish', ['a'], ['b'])] }],
    message: /own:Swish "swish_1\/Swish_0": function Swish calls itself, by "swish_1"$/
  },
  'what calls it': {
    functions: [
      { ...swish, nodes: [node('own:Other', ['a'], ['b'])] },
      { ...swish, name: 'Other', nodes: [node('own:Swish', ['a'], ['b'])] }
    ],
    message: /function Swish calls itself, by "swish_1", "swish_1\/Other_0"/
  },
  'more and more': {
    functions: Array.from({ length: 40 }, (_, i) => ({
      ...swish,
      name: i ? `F${i}` : 'Swish',
      nodes: [node(`own:F${i + 1}`, ['a'], ['c']), node(`own:F${i + 1}`, ['c'], ['b'])]
    })),
    message: /functions make more than \d+ nodes/
  },
  'a function with fewer inputs': { functions: [swish], inputs: 2, message: /has 2 inputs; function Swish has 1/ },
  'what the domain does not define': {
    functions: [swish, leaky],
    call: 'own:Other',
    message: /own:Other \(1×, first at "other_1"\); the model defines of own only Swish, Leaky;/
  },
  'a domain without functions': {
    functions: [swish],
    call: 'com.example:Other',
    message: /com.example:Other .*; the model defines no functions of com.example;/
  },
  'an operator that is unknown': {
    functions: [{ ...swish, nodes: [node('Nonsense', ['a'], ['b'])] }],
    message: /Nonsense \(1×, first at "swish_1\/Nonsense_0"\); docs\/operators\.md/
  },
  'what its body does not make': {
    functions: [{ ...swish, nodes: [node('Mul', ['a', 'q'], ['b'])] }],
    message: /Mul "swish_1\/Mul_0": input "swish_1\/q" is produced by nothing before it/
  }
}

for (const [what, { functions, call = 'own:Swish', inputs = 1, message }] of Object.entries(refused))
  test(`${what} cannot be called`, () => {
    const m = new ModelBuilder(new Random(what))
    const x = m.input([2, 3])
    const bytes = withFunctions(m.output(m.add(call, new Array(inputs).fill(x))), functions)
    assert.throws(
      () => build(bytes),
      (error: Error) => error instanceof CompileError && message.test(error.message)
    )
  })

test('nodes in any order', async () => {
  for (let i = 0; i < 5; i++) {
    const random = new Random(`order ${i}`)
    const m = new ModelBuilder(random)
    let x = m.input([2, 3, 4, 4])
    const first = x
    for (let k = 0; k < 6; k++) {
      const skip = x
      const inside = m.branch(inner => inner.add('Mul', [inner.add('Neg', [skip]), first]))
      const flag = m.constant({ dtype: 'bool', dims: [], data: [k % 2] })
      const branched = m.add('If', [flag], {
        then_branch: inside,
        else_branch: m.branch(inner => inner.add('Abs', [skip]))
      })
      x = m.add('Add', [m.add('Sigmoid', [branched]), skip])
    }
    m.output(x)
    const sorted = m.encode()
    const proto = m.proto()
    const nodes = random.shuffled(proto.graph!.node!)
    for (const { attribute } of nodes) for (const { g } of attribute ?? []) if (g) g.node = random.shuffled(g.node!)
    await compare(encodeModel({ ...proto, graph: { ...proto.graph, node: nodes } }), m, `order ${i}`, sorted)
  }
})

test('a circle of nodes is refused by their names', () => {
  const m = new ModelBuilder(new Random('circle'))
  m.add('Add', [m.input([2, 3]), 'relu_3'])
  m.nodes.at(-1)!.output = ['sum']
  m.output(m.add('Relu', [m.add('Neg', ['sum'])]))
  assert.throws(
    () => build(m.encode()),
    (error: Error) =>
      error instanceof CompileError &&
      /nodes read each other in a circle: Add "add_1", Relu "relu_3", Neg "neg_2"$/.test(error.message)
  )
})

test.run()
