// Numbers in steps of a scale, the same bits on every device: WGSL promises neither quotients nor that operations are kept apart.

fn mantissa(bits: u32) -> u32 {
  return (bits & 0x7fffff) | 0x800000;
}

fn exponent(bits: u32) -> u32 {
  return (bits >> 23) & 255;
}

// a / b as it is rounded once, for b > 0. The device's quotient is a few units off in the last place; from below it goes up to
// where less than half a unit is left, which integers tell, of whose last 32 bits no more is needed.
fn quotient(a: f32, b: f32) -> f32 {
  let near = a / b;
  if (!(abs(near) > 1e-30 && abs(near) < 1e30)) {
    return near;
  }
  let over = bitcast<u32>(a);
  let under = bitcast<u32>(b);
  var bits = bitcast<u32>(near) - 4;
  for (var i = 0; i < 12; i++) {
    let shift = exponent(over) + 150 - exponent(under) - exponent(bits);
    let left = i32((mantissa(over) << shift) - mantissa(under) * mantissa(bits));
    if (left * 2 <= i32(mantissa(under))) {
      break;
    }
    bits++;
  }
  return bitcast<f32>(bits);
}

// The nearest whole numbers, half to even, within what a byte can show; NaN is the least.
fn stepsOf(v: vec4f) -> vec4i {
  let isNumber = (bitcast<vec4u>(v) & vec4u(0x7fffffff)) <= vec4u(0x7f800000);
  return select(vec4i(-1024), vec4i(round(clamp(v, vec4f(-1024), vec4f(1024)))), isNumber);
}
