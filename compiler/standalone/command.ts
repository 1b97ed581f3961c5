import type { Body, Emitter } from './emit.js'
import { bytesOf, describePorts, placeTexts, type Table } from './ports.js'

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

/** Bytes of memory that the command works in. */
const scratchBytes = 8192

/**
 * `_start`, which makes the module a command of WASI: inputs from the files that it is called with, or all of them from standard
 * input, outputs to standard output. Returns its tables.
 */
export function addCommand(emitter: Emitter, { places, inputs, outputs }: Body): Table[] {
  const scratch = places.take(scratchBytes)
  const lines = placeTexts(
    texts.map(text => `cairn: ${text}\n`),
    places
  )
  const ports = describePorts([...inputs, ...outputs], places)
  const textsAt = places.take(texts.length * 8)
  const commandAt = places.take(20)
  const command = [scratch, inputs.length, outputs.length, ports.at, textsAt]
  emitter.add('_start', [
    emitter.callAt('readInputs', commandAt),
    emitter.if(emitter.own('run', emitter.number), emitter.callAt('fail', commandAt, texts.length - 1)),
    emitter.callAt('writeOutputs', commandAt)
  ])
  return [
    lines.table,
    ...ports.tables,
    { at: textsAt, bytes: bytesOf(lines.lengths.flat()) },
    { at: commandAt, bytes: bytesOf(command) }
  ]
}
