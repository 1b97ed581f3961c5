import type { Standalone, StandalonePort } from './metadata.js'
import { elementOf } from './ports.js'
import type { Primitive } from './wasm/component.js'

/**
 * What a component (WebAssembly's Component Model) exports: `infer` takes the elements of each input as a list, and returns of
 * each output its shape and its elements, or what was wrong.
 */
export const interfaceName = 'cairn:model/inference'

const primitives: Readonly<Record<string, Primitive>> = { b1: 'bool', f4: 'f32', f8: 'f64' }

/** WIT's type of an input's or output's elements. */
function primitiveOf(port: StandalonePort): Primitive {
  const [letter, width] = elementOf(port)
  return primitives[`${letter}${width}`] ?? (`${letter === 'u' ? 'u' : 's'}${width * 8}` as Primitive)
}

/** Names as WIT has them: words of small letters and digits, which begin with letters, with hyphens between; no two the same. */
function labelsOf(ports: readonly StandalonePort[], otherwise: string): string[] {
  const taken = new Set<string>()
  return ports.map(({ name }) => {
    const words = name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^[-0-9]+|-$/g, '')
      .replace(/-(?=\d)/g, '')
    let label = words || otherwise
    for (let i = 2; taken.has(label); i++) label = `${words || otherwise}-n${i}`
    taken.add(label)
    return label
  })
}

/** Names and elements of a record's fields. */
export const fieldsOf = (ports: readonly StandalonePort[], otherwise: string) =>
  labelsOf(ports, otherwise).map((label, i) => [label, primitiveOf(ports[i])] as const)

/** The interface as text: model.wit. */
export function witOf({ name, inputs, outputs }: Standalone): string {
  const ins = fieldsOf(inputs, 'input')
  const outs = fieldsOf(outputs, 'output')
  const said = (port: StandalonePort) =>
    `    /// ${JSON.stringify(port.name)}: ${port.type} [${port.shape.join(', ')}]\n`
  const tensors = [...new Set(outs.map(([, type]) => type))].map(
    type => `  record tensor-${type} {\n    shape: list<u32>,\n    data: list<${type}>,\n  }\n\n`
  )
  const taken = ins.map(([label, type], i) => `${said(inputs[i])}    %${label}: list<${type}>,\n`)
  const given = outs.map(([label, type], i) => `${said(outputs[i])}    %${label}: tensor-${type},\n`)
  return `// The interface of the model ${JSON.stringify(name)}, written by cairn compile.
package cairn:model;

interface inference {
${tensors.join('')}${taken.length ? `  record inputs {\n${taken.join('')}  }\n\n` : ''}  record outputs {
${given.join('')}  }

  infer: func(${taken.length ? 'inputs: inputs' : ''}) -> result<outputs, string>;
}

world model {
  export inference;
}
`
}
