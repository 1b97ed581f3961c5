/**
 * A model as a command: reads .npy files or bare elements from the files that it is called with, or one behind the other
 * from standard input, and writes .npy to standard output.
 */
import { bitsOf, countOf, Port, placeOf, sizeOf, valueOf } from './port'
import { args_get, args_sizes_get, fd_read, fd_write, path_open, proc_exit } from './wasi_snapshot_preview1'

@unmanaged
export class Command {
  /** Memory of `BUFFER` bytes and those in front of it. */
  scratch: usize
  inputs: u32
  outputs: u32
  /** Ports, the inputs first. */
  ports: usize
  /** Beginnings and lengths of the lines for standard error. */
  texts: usize
}

/** In the scratch memory: pieces for the host, numbers from it, the arguments, and behind them the buffer. */
const COUNT: usize = 8
const ARGUMENTS: usize = 64
const STARTS: usize = 1024
/** Files, and the command's own name, whose addresses have room in front of these. */
const MOST_FILES: u32 = 239
const BUFFER: usize = 4096
const SIZE: usize = 4096
/** Above all sizes of axes. */
const BEYOND: i64 = 1 << 40

/** Lines for standard error, by number. */
const NO_FILE: u32 = 0
const TOO_SHORT: u32 = 1
const TOO_LONG: u32 = 2
const NO_ARRAY: u32 = 3
const OTHER_TYPE: u32 = 4
const OTHER_SHAPE: u32 = 5
const NO_OUTPUT: u32 = 6
const TOO_MANY: u32 = 7

let scratch: usize = 0
let texts: usize = 0
let file: i32 = 0
let position: usize = 0
let limit: usize = 0

/** Ends the command with one of its lines on standard error. */
export function fail(command: Command, line: u32): void {
  scratch = command.scratch
  texts = command.texts
  stop(line)
}

function stop(line: u32): void {
  store<usize>(scratch, load<usize>(texts + (line << 3)))
  store<usize>(scratch, load<usize>(texts + (line << 3), 4), 4)
  fd_write(2, scratch, 1, scratch + COUNT)
  proc_exit(1)
}

export function readInputs(command: Command): void {
  scratch = command.scratch
  texts = command.texts
  if (args_sizes_get(scratch, scratch + COUNT)) return stop(NO_FILE)
  const files = max<u32>(load<u32>(scratch), 1) - 1
  if (load<usize>(scratch, COUNT) > BUFFER - STARTS || files > command.inputs) return stop(TOO_MANY)
  if (files > 0) {
    if (files != command.inputs || files >= MOST_FILES) return stop(TOO_MANY)
    args_get(scratch + ARGUMENTS, scratch + STARTS)
  }
  file = 0
  position = limit = 0
  for (let i: u32 = 0; i < command.inputs; i++) {
    if (files > 0) open(load<usize>(scratch + ARGUMENTS + ((i + 1) << 2)))
    readPort(changetype<Port>(command.ports + i * offsetof<Port>()))
    if ((files > 0 || i + 1 == command.inputs) && more()) stop(TOO_LONG)
  }
}

/** The folders that a host gives begin with file 3. */
function open(path: usize): void {
  let length: usize = 0
  while (load<u8>(path + length)) length++
  const name = load<u8>(path) == 47 ? 1 : 0
  for (let folder = 3; folder < 64; folder++)
    if (!path_open(folder, 1, path + name, length - name, 0, 2, 0, 0, scratch + COUNT)) {
      file = load<i32>(scratch, COUNT)
      position = limit = 0
      return
    }
  stop(NO_FILE)
}

/** Whether there is another byte. */
function more(): bool {
  if (position < limit) return true
  position = limit = scratch + BUFFER
  return refill()
}

/** Reads behind what the buffer holds; whether anything came. */
function refill(): bool {
  store<usize>(scratch, limit)
  store<usize>(scratch, scratch + BUFFER + SIZE - limit, 4)
  const count: usize = fd_read(file, scratch, 1, scratch + COUNT) ? 0 : load<usize>(scratch, COUNT)
  limit += count
  return count > 0
}

/** Whether .npy is next, by all six bytes that it begins with: a bare element may have the first of them. */
function isArray(): bool {
  while (limit - position < 6) {
    const left = limit - position
    memory.copy(scratch + BUFFER, position, left)
    position = scratch + BUFFER
    limit = position + left
    if (!refill()) return false
  }
  return load<u32>(position) == 0x4d554e93 && load<u16>(position, 4) == 0x5950
}

function byte(): u32 {
  if (!more()) stop(TOO_SHORT)
  return load<u8>(position++)
}

function readPort(port: Port): void {
  let letter = port.letter
  let width = port.width
  if (isArray()) {
    position += 6
    const wide = byte() > 1
    byte()
    let length = byte() | (byte() << 8)
    if (wide) length |= (byte() << 16) | (byte() << 24)
    // The header is Python's text of a dictionary: quotes, colons and brackets tell where its values are.
    let quoted = 0
    let kind: u32 = 0
    let fits = true
    let axes: u32 = 0
    let number: i64 = -1
    let shaped = false
    let fortran = false
    let size: u32 = 0
    for (let last: u32 = 0; length > 0; length--) {
      const c = byte()
      if (c == 39) quoted++
      else if (quoted == 3) {
        if (c >= 48 && c <= 57) size = size * 10 + c - 48
        else {
          if (c == 62) return stop(OTHER_TYPE)
          kind = c
        }
      } else if (c == 40) shaped = true
      else if (shaped && c >= 48 && c <= 57) number = min<i64>(max<i64>(number, 0) * 10 + c - 48, BEYOND)
      else if (shaped && (c == 44 || c == 41)) {
        if (number >= 0) {
          if (axes >= port.rank || number != <i64>load<u32>(port.axes + (axes << 3))) fits = false
          axes++
        }
        number = -1
        if (c == 41) shaped = false
      } else if (c == 84 && last == 32) fortran = true
      last = c
    }
    if (!kind || !size) return stop(NO_ARRAY)
    if (!fits || axes != port.rank || (fortran && axes > 1)) return stop(OTHER_SHAPE)
    letter = kind
    width = size
  }
  if (!isKnown(letter, width)) return stop(OTHER_TYPE)
  for (let i: u32 = 0; i < port.elements; i++) {
    let bits: u64 = 0
    for (let b: u32 = 0; b < width; b++) bits |= (<u64>byte()) << (b << 3)
    store<f32>(port.at + (i << 2), valueOf(bits, letter, width))
  }
}

/** Floats of 4 and 8 bytes, truth values, whole numbers. */
function isKnown(letter: u32, width: u32): bool {
  if (letter == 102) return width == 4 || width == 8 || width == 2
  if (letter == 98) return width == 1
  return (letter == 105 || letter == 117) && (width == 1 || width == 2 || width == 4 || width == 8)
}

export function writeOutputs(command: Command): void {
  const first = command.ports + command.inputs * offsetof<Port>()
  limit = scratch + BUFFER
  position = limit
  for (let i: u32 = 0; i < command.outputs; i++) writePort(changetype<Port>(first + i * offsetof<Port>()))
  flush()
}

function flush(): void {
  for (let from = limit; from < position; from += load<usize>(scratch, COUNT)) {
    store<usize>(scratch, from)
    store<usize>(scratch, position - from, 4)
    if (fd_write(1, scratch, 1, scratch + COUNT)) return stop(NO_OUTPUT)
  }
  position = limit
}

function put(value: u32): void {
  if (position == limit + SIZE) flush()
  store<u8>(position++, value)
}

/** Text that is a number of up to eight letters, the first one lowest. */
function putText(text: u64): void {
  for (; text; text >>= 8) put(<u32>text & 255)
}

function putNumber(value: u32): void {
  if (value > 9) putNumber(value / 10)
  put(48 + (value % 10))
}

function digits(value: u32): u32 {
  return value > 9 ? digits(value / 10) + 1 : 1
}

/** An array of NumPy's format 1.0. Its header takes as many bytes as make the elements begin at a multiple of 64. */
function writePort(port: Port): void {
  const rank = port.rank
  putText(0x59504d554e93) // \x93NUMPY
  put(1)
  put(0)
  let length: u32 = 55 + (rank == 1 ? 1 : rank ? (rank - 1) * 2 : 0)
  for (let axis: u32 = 0; axis < rank; axis++) length += digits(sizeOf(port, axis))
  const padding: u32 = 63 - ((length + 10) & 63)
  length += padding + 1
  put(length & 255)
  put(length >> 8)
  putText(0x277263736564277b) // {'descr'
  putText(0x27203a) // : '
  put(port.width == 1 ? 124 : 60)
  put(port.letter)
  put(48 + port.width)
  putText(0x74726f6627202c27) // ', 'fort
  putText(0x6564726f5f6e6172) // ran_orde
  putText(0x736c6146203a2772) // r': Fals
  putText(0x7061687327202c65) // e, 'shap
  putText(0x28203a2765) // e': (
  for (let axis: u32 = 0; axis < rank; axis++) {
    putNumber(sizeOf(port, axis))
    if (rank == 1) put(44)
    else if (axis + 1 < rank) putText(0x202c)
  }
  putText(0x7d202c29) // ), }
  for (let i: u32 = padding; i > 0; i--) put(32)
  put(10)
  const count = countOf(port)
  for (let i: u32 = 0; i < count; i++) writeElement(port, load<f32>(placeOf(port, i, count)))
}

function writeElement(port: Port, value: f32): void {
  let bits = bitsOf(value, port.letter, port.width)
  for (let b: u32 = 0; b < port.width; b++) {
    put(<u32>bits & 255)
    bits >>= 8
  }
}
