/** Small binary encodings from which runtime/file/format.ts describes the header: each writes and reads one kind of value. */
export interface Codec<T> {
  write(writer: Writer, value: T): void
  read(cursor: Cursor): T
}

export class Writer {
  private bytes = new Uint8Array(4096)
  private length = 0

  byte(value: number): void {
    this.reserve(1)
    this.bytes[this.length++] = value
  }

  append(data: Uint8Array): void {
    this.reserve(data.length)
    this.bytes.set(data, this.length)
    this.length += data.length
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length)
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more))
    grown.set(this.bytes)
    this.bytes = grown
  }
}

/** Reads from the front; throws RangeError at the end of the data. */
export class Cursor {
  private at = 0

  constructor(private readonly bytes: Uint8Array) {}

  get done(): boolean {
    return this.at === this.bytes.length
  }

  byte(): number {
    return this.take(1)[0]
  }

  take(count: number): Uint8Array {
    if (!(count >= 0) || this.at + count > this.bytes.length) throw new RangeError('data ends too early')
    this.at += count
    return this.bytes.subarray(this.at - count, this.at)
  }
}

/** A safe integer: zigzag, then seven bits a byte, lowest first. */
export const int: Codec<number> = {
  write(w, value) {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a safe integer`)
    let rest = value < 0 ? -2 * value - 1 : 2 * value
    while (rest >= 128) {
      w.byte((rest % 128) + 128)
      rest = Math.floor(rest / 128)
    }
    w.byte(rest)
  },
  read(r) {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = r.byte()
      value += (byte % 128) * scale
      if (byte < 128) break
      scale *= 128
      if (scale > 2 ** 54) throw new RangeError('integer is too long')
    }
    if (value > 2 * Number.MAX_SAFE_INTEGER) throw new RangeError('integer is too large')
    return value % 2 ? -(value + 1) / 2 : value / 2
  }
}

const scratch = new DataView(new ArrayBuffer(8))

function float(width: 4 | 8): Codec<number> {
  return {
    write(w, value) {
      if (width === 4) scratch.setFloat32(0, value, true)
      else scratch.setFloat64(0, value, true)
      for (let i = 0; i < width; i++) w.byte(scratch.getUint8(i))
    },
    read(r) {
      r.take(width).forEach((byte, i) => scratch.setUint8(i, byte))
      return width === 4 ? scratch.getFloat32(0, true) : scratch.getFloat64(0, true)
    }
  }
}

export const f32 = float(4)
export const f64 = float(8)

/** UTF-8 with its length in front. */
export const text: Codec<string> = {
  write(w, value) {
    const data = new TextEncoder().encode(value)
    int.write(w, data.length)
    w.append(data)
  },
  read: r => new TextDecoder().decode(r.take(int.read(r)))
}

export function list<T>(item: Codec<T>): Codec<readonly T[]> {
  return {
    write(w, values) {
      int.write(w, values.length)
      for (const value of values) item.write(w, value)
    },
    read(r) {
      const length = int.read(r)
      if (length < 0) throw new RangeError('list of negative length')
      const values: T[] = []
      for (let i = 0; i < length; i++) values.push(item.read(r))
      return values
    }
  }
}

/** The named fields in the order in which they are listed. */
export function struct<T extends object>(fields: { readonly [K in keyof T]-?: Codec<T[K]> }): Codec<T> {
  const names = Object.keys(fields) as (keyof T)[]
  return {
    write(w, value) {
      for (const name of names) fields[name].write(w, value[name])
    },
    read(r) {
      const value: Partial<T> = {}
      for (const name of names) value[name] = fields[name].read(r)
      return value as T
    }
  }
}

/** One byte, 0 or 1, and behind a 1 the value. */
export function optional<T>(item: Codec<T>): Codec<T | undefined> {
  return {
    write(w, value) {
      w.byte(value === undefined ? 0 : 1)
      if (value !== undefined) item.write(w, value)
    },
    read(r) {
      const given = r.byte()
      if (given > 1) throw new RangeError(`${given} where 0 or 1 says whether a value follows`)
      return given ? item.read(r) : undefined
    }
  }
}

/** For descriptions that refer to each other. */
export function lazy<T>(codec: () => Codec<T>): Codec<T> {
  return { write: (w, value) => codec().write(w, value), read: r => codec().read(r) }
}
