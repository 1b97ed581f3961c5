/** Inputs and outputs of a model as hosts have them: elements of any of NumPy's types, which memory holds as floats. */

/** An input or output: where its floats are, what its elements are outside, and its shape. */
@unmanaged
export class Port {
  at: usize
  elements: u32
  /** The letter of NumPy's types, and bytes of an element. */
  letter: u32
  width: u32
  rank: u32
  /** For each axis its size, and the address of the float that says how much of it there is, or 0. */
  axes: usize
}

/** The float of an element. */
export function valueOf(bits: u64, letter: u32, width: u32): f32 {
  if (letter == 102) {
    if (width == 4) return reinterpret<f32>(<u32>bits)
    if (width == 8) return <f32>reinterpret<f64>(bits)
    return halfOf(<u32>bits)
  }
  if (letter != 105) return <f32>bits
  const unused = 64 - (width << 3)
  return <f32>(<i64>(bits << unused) >> unused)
}

/** As `widen` of asm/weights.ts. */
function halfOf(bits: u32): f32 {
  const magnitude = bits & 0x7fff
  let value = reinterpret<f32>(magnitude << 13) * reinterpret<f32>((<u32>(127 + 112)) << 23)
  if (magnitude >= 0x7c00) value = reinterpret<f32>((magnitude << 13) | 0x7f800000)
  return reinterpret<f32>(reinterpret<u32>(value) | ((bits & 0x8000) << 16))
}

/** The element of a float. */
export function bitsOf(value: f32, letter: u32, width: u32): u64 {
  if (letter == 102) return width == 4 ? reinterpret<u32>(value) : reinterpret<u64>(<f64>value)
  return wholeOf(value, width)
}

/** As runtime/tensor/elements.ts: 64 bits round, and what is not finite becomes the smallest; others are cut. All wrap. */
function wholeOf(value: f32, width: u32): u64 {
  if (!(abs<f32>(value) < Infinity)) return width == 8 ? 1 << 63 : 0
  const whole = width == 8 ? floor<f64>(<f64>value + 0.5) : trunc<f64>(<f64>value)
  if (abs<f64>(whole) < 9223372036854775808.0) return <u64>(<i64>whole)
  return <u64>(whole - floor<f64>(whole / 18446744073709551616.0) * 18446744073709551616.0)
}

/** How many elements of it there are. */
export function countOf(port: Port): u32 {
  let count: u32 = 1
  for (let axis: u32 = 0; axis < port.rank; axis++) count *= sizeOf(port, axis)
  return count
}

/** Where number `index` of the `count` elements that there are lies: axes may be cut. */
export function placeOf(port: Port, index: u32, count: u32): usize {
  if (count == port.elements) return port.at + (index << 2)
  let at: usize = 0
  let step: usize = 4
  for (let axis = port.rank; axis-- > 0; ) {
    const size = sizeOf(port, axis)
    at += (index % size) * step
    index /= size
    step *= load<u32>(port.axes + (axis << 3))
  }
  return port.at + at
}

/** How much of an axis there is. */
export function sizeOf(port: Port, axis: u32): u32 {
  const own = port.axes + (axis << 3)
  const counted = load<usize>(own, 4)
  return counted ? min(<u32>load<f32>(counted), load<u32>(own)) : load<u32>(own)
}
