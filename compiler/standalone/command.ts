import type { Body, Emitter } from './emit.js'
import type { StandalonePort } from './metadata.js'

/** Lines for standard error, in the order of asm/standalone/command.ts; the last is for `run`. */
const texts = [
  'no such file in the folders that the host gives (--dir), from where paths begin; the .npy file or elements of each input are allowed',
  'the input ends too soon; the elements of each input, all of them, are allowed',
  'the input goes on behind its last element; the elements of each input, no more, are allowed',
  'an .npy header is damaged',
  'an .npy file of another type; f2, f4, f8, b1, u1 to u8 and i1 to i8, little-endian, are allowed',
  'an .npy file of another shape, or in Fortran order; the shape of the input in C order is allowed',
  'the output cannot be written',
  'another number of files than of inputs, or long names; none, or a file for each input, is allowed',
  'an index of the input is out of range'
]

/** NumPy's letter and bytes of an element; halves go out as single precision. */
const types: Readonly<Record<string, readonly [string, number]>> = {
  float64: ['f', 8],
  bool: ['b', 1],
  ...Object.fromEntries(
    [8, 16, 32, 64].flatMap(bits => [
      [`int${bits}`, ['i', bits / 8]],
      [`uint${bits}`, ['u', bits / 8]]
    ])
  )
}

/** Bytes of memory that the command works in. */
const scratchBytes = 8192

/**
 * `_start`, which makes the module a command of WASI: inputs from the files that it is called with, or all of them from standard
 * input, outputs to standard output. Returns its tables.
 */
export function addCommand(emitter: Emitter, { places, inputs, outputs }: Body): { at: number; bytes: Uint8Array }[] {
  const ports = [...inputs, ...outputs]
  const scratch = places.take(scratchBytes)
  const lines = texts.map(text => new TextEncoder().encode(`cairn: ${text}\n`))
  const written = { at: places.take(lines.reduce((sum, { length }) => sum + length, 0)), bytes: joined(lines) }
  let next = written.at
  const lengths = lines.map(({ length }) => [(next += length) - length, length])
  const axes = ports.map(axesOf)
  const axesAt = axes.map(words => places.take(words.length * 4))
  const portsAt = places.take(ports.length * 24)
  const textsAt = places.take(lines.length * 8)
  const commandAt = places.take(20)
  const command = [scratch, inputs.length, outputs.length, portsAt, textsAt]
  const described = ports.flatMap((port, i) => {
    const [letter, width] = types[port.type] ?? ['f', 4]
    return [port.at, port.length, letter.charCodeAt(0), width, port.shape.length, axesAt[i]]
  })
  emitter.add('_start', [
    emitter.callAt('readInputs', commandAt),
    emitter.if(emitter.own('run', emitter.number), emitter.callAt('fail', commandAt, texts.length - 1)),
    emitter.callAt('writeOutputs', commandAt)
  ])
  return [
    written,
    ...axes.map((words, i) => ({ at: axesAt[i], bytes: bytesOf(words) })),
    { at: portsAt, bytes: bytesOf(described) },
    { at: textsAt, bytes: bytesOf(lengths.flat()) },
    { at: commandAt, bytes: bytesOf(command) }
  ]
}

const axesOf = ({ shape, cuts = [] }: StandalonePort) =>
  shape.flatMap((size, axis) => [size, cuts.find(([cut]) => cut === axis)?.[1] ?? 0])

const bytesOf = (words: readonly number[]) => new Uint8Array(Uint32Array.from(words).buffer)

const joined = (parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap(part => [...part]))
