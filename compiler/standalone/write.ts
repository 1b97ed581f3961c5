import type { Standalone, StandalonePort } from './metadata.js'

/** What is written beside a module, for whoever calls it from TypeScript or from C. */

const described = ({ type, shape, length, cuts }: StandalonePort) =>
  `${type} ${shape.map((size, axis) => (cuts?.some(([cut]) => cut === axis) ? `≤${size}` : size)).join('×') || 'scalar'}, ${length} elements`

/** Types for `instantiate<Model>` of cairnjs/standalone: model.d.ts. */
export function declarationsOf({ name, inputs, outputs }: Standalone): string {
  const feeds = inputs.map(
    port => `  /** ${described(port)} */\n  readonly ${JSON.stringify(port.name)}: StandaloneFeed\n`
  )
  const results = outputs.map(
    port =>
      `  /** ${described(port)} */\n  readonly ${JSON.stringify(port.name)}: StandaloneResult & { readonly data: ${port.array} }\n`
  )
  return `// Types of the model ${JSON.stringify(name)}, written by cairn compile.
import type { StandaloneFeed, StandaloneModel, StandaloneResult } from 'cairnjs/standalone'

export interface Feeds {
${feeds.join('')}}

export interface Results {
${results.join('')}}

/** const { run } = await instantiate<Model>(fetch('model.wasm')) */
export interface Model extends Omit<StandaloneModel, 'run'> {
  run(feeds: Feeds): Results
}
`
}

/** No name in C begins with a digit. */
const macro = (name: string) =>
  name
    .replace(/\W/g, '_')
    .replace(/^(?=\d)/, '_')
    .toUpperCase()

/** A C header with the addresses, for engines with a C API and for wasm2c. `stem` is the module's file without .wasm. */
export function headerOf(
  metadata: Standalone,
  stem: string,
  imports: 'no imports' | 'the imports of WASI' = 'no imports'
): string {
  const { name, inputs, outputs, memory, features, golden } = metadata
  const prefix = macro(stem)
  const portText = (port: StandalonePort, kind: string, i: number) => {
    const own = `${prefix}_${kind}_${i}`
    const dims = port.shape.map((size, axis) => `#define ${own}_DIM_${axis} ${size}u`)
    const cuts = (port.cuts ?? []).map(
      ([axis, at]) => `/* A run finds how much there is along axis ${axis}: a float at that address. */
#define ${own}_COUNT_${axis} ${at}u`
    )
    return [
      `/* ${kind === 'INPUT' ? 'Input' : 'Output'} ${JSON.stringify(port.name).replaceAll('*/', '* /')}: ${described(port)} */`,
      `#define ${own} ${port.at}u`,
      `#define ${own}_LENGTH ${port.length}u`,
      `#define ${own}_RANK ${port.shape.length}u`,
      ...dims,
      ...cuts
    ].join('\n')
  }
  return `/* The model ${JSON.stringify(name).replaceAll('*/', '* /')} as the module ${stem}.wasm, written by cairn compile.
 *
 * The module has ${imports} and exports its memory. Addresses are bytes in that memory; at each of them are LENGTH
 * floats of 32 bits, little-endian, in C order, whatever the element type. Write all inputs, call run, read the outputs;
 * write all inputs again before the next run, whose arena takes their place. run returns 0, or 1 and more where an index
 * of an input is out of range.${golden ? ' check returns 0, or which layer is the first that is off.' : ''}
 * Needed of the engine: SIMD${features === 'relaxed' ? ', relaxed SIMD' : ''} and bulk memory.
 */
#ifndef ${prefix}_WASM_H
#define ${prefix}_WASM_H

#define ${prefix}_MEMORY_BYTES ${memory}u

${[...inputs.map((port, i) => portText(port, 'INPUT', i)), ...outputs.map((port, i) => portText(port, 'OUTPUT', i))].join('\n\n')}

#endif
`
}
