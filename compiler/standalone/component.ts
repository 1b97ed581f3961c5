import type { Body, Emitter } from './emit.js'
import type { Standalone } from './metadata.js'
import { describePorts, placeTexts, portBytes, type Table } from './ports.js'
import { Component, type Primitive } from './wasm/component.js'
import { fieldsOf, interfaceName } from './wit.js'

/** What the component calls in its module; other tools know these names too. */
const names = {
  infer: `${interfaceName}#infer`,
  release: `cabi_post_${interfaceName}#infer`,
  room: 'cabi_realloc'
}

/** Parameters that the canonical ABI passes one by one; more are in memory. */
const mostParameters = 16

/** Adds what the component calls: `infer`, room for lists, and what makes it free. Returns their tables. Nothing may be placed later. */
export function addComponent(emitter: Emitter, body: Body, faults: readonly { at: number; text: string }[]): Table[] {
  const { places, inputs, outputs } = body
  const ports = describePorts([...inputs, ...outputs], places)
  const lengths = inputs.map(({ name, length }) => `input "${name}" takes ${length} elements`)
  const texts = placeTexts([...lengths, ...faults.map(({ text }) => text)], places)
  const result = places.take(4 + outputs.length * 16)
  const end = Math.ceil(places.end() / 16) * 16
  const { i32, call, callAt, number } = {
    i32: (value: number) => emitter.i32(value),
    call: emitter.call.bind(emitter),
    callAt: emitter.callAt.bind(emitter),
    number: emitter.number
  }
  const failed = (text: number) => {
    const words = [1, ...texts.lengths[text]]
    return emitter.block([...words.map((word, i) => emitter.store(result + i * 4, word)), emitter.return(result)])
  }
  const isSpread = inputs.length * 2 <= mostParameters
  const word = (at: number) => (isSpread ? emitter.parameter(at) : emitter.loadFrom(emitter.parameter(0), at * 4))
  const portAt = (port: number) => ports.at + port * portBytes
  const infer = [
    ...inputs.map((_, i) =>
      emitter.if(emitter.not(call('take', [i32(portAt(i)), word(2 * i), word(2 * i + 1)], number)), failed(i))
    ),
    emitter.drop(emitter.own('run', number)),
    ...faults.map(({ at }, i) => emitter.if(emitter.load(at), failed(inputs.length + i))),
    emitter.store(result, 0),
    ...outputs.map((_, i) => callAt('give', end, portAt(inputs.length + i), result + 4 + i * 16)),
    i32(result)
  ]
  emitter.add(names.infer, infer, number, isSpread ? inputs.length * 2 : 1)
  emitter.add(names.release, [callAt('release')], undefined, 1)
  const asked = [0, 1, 2, 3].map(i => emitter.parameter(i))
  emitter.add(names.room, [call('room', [i32(end), ...asked], number)], number, 4)
  return [texts.table, ...ports.tables]
}

/** The module inside of a component that exports the interface. */
export function componentOf(module: Uint8Array, { inputs, outputs }: Standalone): Uint8Array {
  const ins = fieldsOf(inputs, 'input')
  const outs = fieldsOf(outputs, 'output')
  /** The function's type, where those that have a name get it from `named`. */
  const typesIn = (component: Component, named: (name: string, type: number) => number) => {
    const shape = component.list('u32')
    const tensors = new Map<Primitive, number>()
    for (const [, type] of outs)
      if (!tensors.has(type)) {
        const data = component.list(type)
        tensors.set(
          type,
          named(
            `tensor-${type}`,
            component.record([
              ['shape', shape],
              ['data', data]
            ])
          )
        )
      }
    const lists = ins.map(([label, type]) => [label, component.list(type)] as const)
    const taken: [string, number][] = lists.length ? [['inputs', named('inputs', component.record(lists))]] : []
    const given = named('outputs', component.record(outs.map(([label, type]) => [label, tensors.get(type)!])))
    return component.func(taken, component.result(given))
  }
  const component = new Component()
  component.module(module)
  const own = new Map<string, number>()
  const type = typesIn(component, (name, type) => {
    own.set(name, type)
    return type
  })
  component.lift(names, type)
  // An instance whose types have names is what a component makes that takes the function and gives it on.
  const shim = new Component()
  shim.importFunc(
    'infer',
    typesIn(shim, (name, type) => shim.importType(`type-${name}`, type))
  )
  shim.exportFunc(
    'infer',
    typesIn(shim, (name, type) => shim.exportType(name, type))
  )
  component.exportInstance(
    shim,
    'infer',
    [...own].map(([name, type]) => [`type-${name}`, type]),
    interfaceName
  )
  return component.finish()
}
