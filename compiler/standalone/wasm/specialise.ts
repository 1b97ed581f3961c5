import { childrenOf, isList, type Node, show, walk } from './text.js'

/**
 * Kernels read from parameter blocks what they are to do, and in a model of its own all blocks are known. So of each number in
 * the kernels' functions the values are found that it has in any of the model's calls, as far as they follow from constants and
 * from the blocks alone; what has one value becomes that constant, a comparison with a kind of activation that the model does
 * not have for example. Binaryen removes what is never reached then.
 */
export interface Blocks {
  readonly at: number
  readonly bytes: Uint8Array
  /** The calls that the function `from` makes, with operands that it reads from a table. */
  readonly calls: readonly (readonly [string, readonly number[]])[]
  readonly from: string
}

/** Values that a number may have, integers of 32 bits; undefined where there are many, or nobody knows. */
type Values = ReadonlySet<number> | undefined

interface Function {
  readonly list: Node[]
  readonly params: readonly string[]
  /** What is assigned to locals and parameters. */
  readonly sets: Map<string, Node[]>
  /** Locals that may be read before anything is assigned to them. */
  readonly early: ReadonlySet<string>
  readonly isExported: boolean
}

interface Site {
  readonly from: Function | undefined
  readonly operands: readonly Node[]
}

/** So many values are told apart: as many as models have calls. */
const most = 2048
/** Values that grow so many times, counters of loops, grow on. */
const growths = 12
/** Nothing that a kernel without threads reads has a lower address. */
const lowest = 1024

const unary: Readonly<Record<string, (a: number) => number>> = { 'i32.eqz': a => Number(a === 0) }

const binary: Readonly<Record<string, (a: number, b: number) => number>> = {
  'i32.add': (a, b) => a + b,
  'i32.sub': (a, b) => a - b,
  'i32.mul': Math.imul,
  'i32.and': (a, b) => a & b,
  'i32.or': (a, b) => a | b,
  'i32.xor': (a, b) => a ^ b,
  'i32.shl': (a, b) => a << b,
  'i32.shr_u': (a, b) => a >>> b,
  'i32.shr_s': (a, b) => a >> b,
  'i32.eq': (a, b) => Number(a === b),
  'i32.ne': (a, b) => Number(a !== b),
  'i32.lt_u': (a, b) => Number(a >>> 0 < b >>> 0),
  'i32.le_u': (a, b) => Number(a >>> 0 <= b >>> 0),
  'i32.gt_u': (a, b) => Number(a >>> 0 > b >>> 0),
  'i32.ge_u': (a, b) => Number(a >>> 0 >= b >>> 0),
  'i32.lt_s': (a, b) => Number(a < b),
  'i32.le_s': (a, b) => Number(a <= b),
  'i32.gt_s': (a, b) => Number(a > b),
  'i32.ge_s': (a, b) => Number(a >= b)
}

/** The module's text with what is constant in all of its calls; `blocks` is memory that nothing writes to. */
export function specialise(module: Node[], blocks: Blocks): void {
  new Specialiser(module, blocks).rewrite()
}

class Specialiser {
  private readonly functions = new Map<string, Function>()
  private readonly sites = new Map<string, Site[]>()
  /** What globals begin with, and what functions assign to them. */
  private readonly globals = new Map<string, { readonly node: Node; readonly own: Function | undefined }[]>()
  /** What is known of globals, locals and parameters, with how many times it has grown, and who has asked for it. */
  private readonly known = new Map<string, { values: Values; grown: number; readonly assigned: () => Values }>()
  private readonly askers = new Map<string, Set<string>>()
  private asking = ''
  private readonly memory: DataView

  constructor(
    module: Node[],
    private readonly blocks: Blocks
  ) {
    this.memory = new DataView(blocks.bytes.buffer, blocks.bytes.byteOffset, blocks.bytes.length)
    withoutGetters(module)
    const exported = new Set(
      childrenOf(module, 'export').flatMap(([, , what]) => (isList(what) && what[0] === 'func' ? [what[1]] : []))
    )
    // What they begin with is no expression that reads a local.
    for (const [, name, , node] of childrenOf(module, 'global'))
      this.globals.set(name as string, [{ node, own: undefined }])
    for (const list of childrenOf(module, 'func')) {
      const params = childrenOf(list, 'param').map(([, name]) => name as string)
      const sets = new Map<string, Node[]>()
      const name = list[1] as string
      const own = { list, params, sets, early: earlyOf(list), isExported: exported.has(name) }
      this.functions.set(name, own)
      walk(list, each => {
        const [head, target] = each as string[]
        if (head === 'global.set') this.globals.get(target)!.push({ own, node: each[2] })
        if (head === 'local.set' || head === 'local.tee') sets.set(target, [...(sets.get(target) ?? []), each[2]])
        if (head === 'call' && name !== `$${blocks.from}`) this.addSite(target, { from: own, operands: each.slice(2) })
      })
    }
    for (const [name, operands] of blocks.calls)
      this.addSite(`$${name}`, { from: undefined, operands: operands.map(each => ['i32.const', String(each)]) })
    this.settle()
  }

  private addSite(target: string, site: Site): void {
    if (!this.sites.has(target)) this.sites.set(target, [])
    this.sites.get(target)!.push(site)
  }

  /** At first nothing has a value; what is found is gone through again until nobody learns of another one. */
  private settle(): void {
    const begin = (key: string, assigned: () => Values) =>
      this.known.set(key, { values: new Set(), grown: 0, assigned })
    for (const name of this.globals.keys())
      begin(name, () => joined(this.globals.get(name)!.map(({ node, own }) => this.valuesOf(node, own))))
    for (const own of this.functions.values())
      for (const name of new Set([...own.params, ...own.sets.keys(), ...own.early]))
        begin(keyOf(own, name), () => this.assigned(own, name))
    const waiting = new Set(this.known.keys())
    for (const key of waiting) {
      waiting.delete(key)
      const entry = this.known.get(key)!
      if (!entry.values) continue
      this.asking = key
      const found = entry.assigned()
      if (found?.size === entry.values.size) continue
      entry.values = ++entry.grown > growths ? undefined : found
      for (const asker of this.askers.get(key) ?? []) waiting.add(asker)
    }
    this.asking = ''
  }

  rewrite(): void {
    for (const own of this.functions.values())
      walk(own.list, list => {
        list.forEach((each, i) => {
          const constant = isList(each) ? this.constantOf(each, own) : undefined
          if (constant) list[i] = constant
        })
      })
  }

  /** The constant that an expression without effects is; undefined for any other. */
  private constantOf(list: Node[], own: Function): Node | undefined {
    const [head] = list as string[]
    if (head === 'i32.const' || !this.isPure(list)) return undefined
    if (head === 'f32.load') {
      const [bits, ...others] = this.loaded(list, own) ?? []
      if (bits === undefined || others.length) return undefined
      const value = new Float32Array(Int32Array.of(bits).buffer)[0]
      if (Number.isNaN(value)) return undefined
      const text = Number.isFinite(value) ? (Object.is(value, -0) ? '-0' : String(value)) : value > 0 ? 'inf' : '-inf'
      return ['f32.const', text]
    }
    const values = this.valuesOf(list, own)
    if (values?.size !== 1) return undefined
    return ['i32.const', String([...values][0])]
  }

  private isPure(node: Node): boolean {
    if (!isList(node)) return true
    const [head] = node as string[]
    const isKnown =
      /^((local|global)\.get|i32\.const|i32\.load|f32\.load)$/.test(head) || head in binary || head in unary
    return isKnown && node.slice(1).every(each => this.isPure(each))
  }

  private valuesOf(node: Node, own: Function | undefined): Values {
    if (!isList(node)) return undefined
    const [head, first] = node as string[]
    if (head === 'i32.const') return new Set([Number(first) | 0])
    if (head === 'local.get') return this.found(keyOf(own!, first))
    if (head === 'global.get') return this.found(first)
    if (head === 'local.tee') return this.valuesOf(node[2], own)
    if (head === 'i32.load') return this.loaded(node, own)
    if (head === 'select') return this.eitherOf(node[3], node[1], node[2], own)
    if (head === 'if' && node.length === 5) {
      const [then, otherwise] = node.slice(3) as Node[][]
      return this.eitherOf(node[2], then.at(-1)!, otherwise.at(-1)!, own)
    }
    if (head in unary) return mapped(this.valuesOf(node[1], own), unary[head])
    if (head in binary) return combined(this.valuesOf(node[1], own), this.valuesOf(node[2], own), binary[head])
    return undefined
  }

  /** What the condition lets through of two values. */
  private eitherOf(condition: Node, one: Node, other: Node, own: Function | undefined): Values {
    const known = this.valuesOf(condition, own)
    const taken = known ? [...known] : [0, 1]
    const ones = taken.some(Boolean) ? [this.valuesOf(one, own)] : []
    const others = taken.includes(0) ? [this.valuesOf(other, own)] : []
    return joined([...ones, ...others])
  }

  private found(key: string): Values {
    if (this.asking) {
      if (!this.askers.has(key)) this.askers.set(key, new Set())
      this.askers.get(key)!.add(this.asking)
    }
    return this.known.get(key)?.values
  }

  /** Of parameters also what all calls pass, of others the 0 that they begin with. */
  private assigned(own: Function, name: string): Values {
    const at = own.params.indexOf(name)
    const begin = at >= 0 ? this.passed(own, at) : new Set(own.early.has(name) ? [0] : [])
    return joined([begin, ...(own.sets.get(name) ?? []).map(each => this.valuesOf(each, own))])
  }

  private passed(own: Function, parameter: number): Values {
    if (own.isExported) return undefined
    const sites = this.sites.get(own.list[1] as string) ?? []
    return joined(sites.map(({ from, operands }) => this.valuesOf(operands[parameter], from)))
  }

  /** Words that a load may find, if all of them lie in the blocks. */
  private loaded(list: Node[], own: Function | undefined): Values {
    let offset = 0
    for (const each of list) {
      const match = typeof each === 'string' ? /^offset=(\d+)$/.exec(each) : null
      if (match) offset = Number(match[1])
    }
    const found = new Set<number>()
    const addresses = this.valuesOf(list.at(-1)!, own)
    if (!addresses) return undefined
    for (const address of addresses) {
      const at = (address >>> 0) + offset
      if (at < lowest) continue
      const inside = at - this.blocks.at
      if (!(inside >= 0 && inside + 4 <= this.memory.byteLength)) return undefined
      found.add(this.memory.getInt32(inside, true))
    }
    return found
  }
}

const keyOf = ({ list }: Function, name: string) => `${list[1]} ${name}`

/**
 * Locals that are read where no assignment is sure to have been made: one is, if it stands in front of the reading in one of the
 * lists of instructions that this is in.
 */
function earlyOf(list: Node[]): Set<string> {
  const early = new Set<string>()
  const made: string[] = []
  const look = (node: Node) => {
    if (!isList(node)) return
    const [head, name] = node as string[]
    const before = made.length
    node.forEach(look)
    if (head === 'local.get' && !made.includes(name)) early.add(name)
    if (/^(block|loop|then|else)$/.test(head)) made.length = before
    if (/^local\.(set|tee)$/.test(head)) made.push(name)
  }
  look(list)
  return early
}

/**
 * AssemblyScript reads a class's field by a call of a function of its own, which has nothing but a load in it; the load stands
 * in place of the call.
 */
function withoutGetters(module: Node[]): void {
  const loads = new Map<string, readonly Node[]>()
  for (const [, name, ...parts] of childrenOf(module, 'func')) {
    const body = parts.at(-1)
    const isGetter = parts.length === 3 && isList(body) && /^[if]32\.load$/.test(String(body[0]))
    if (isGetter && show(body.at(-1)!) === `(local.get ${(parts[0] as Node[])[1]})`)
      loads.set(name as string, body.slice(0, -1))
  }
  walk(module, list => {
    const load = list[0] === 'call' && loads.get(list[1] as string)
    if (load) list.splice(0, 2, ...load)
  })
}

function joined(all: readonly Values[]): Values {
  const values = new Set<number>()
  for (const each of all) {
    if (!each) return undefined
    for (const value of each) values.add(value)
  }
  return values.size <= most ? values : undefined
}

function mapped(values: Values, compute: (a: number) => number): Values {
  return values && new Set([...values].map(value => compute(value) | 0))
}

function combined(a: Values, b: Values, compute: (a: number, b: number) => number): Values {
  if (!a || !b || a.size * b.size > most) return undefined
  const values = new Set<number>()
  for (const left of a) for (const right of b) values.add(compute(left, right) | 0)
  return values
}
