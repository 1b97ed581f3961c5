// How sums come back to bytes: round(sum * scale + bias) + zero, within bounds, each operation rounded by itself.

// A result that no compiler joins with the next operation, because none knows that a byte has no further bits.
fn rounded(v: vec4f) -> vec4f {
  return bitcast<vec4f>(bitcast<vec4u>(v) | vec4u(p.high >> 8));
}

fn bytesOf(v: vec4f) -> vec4f {
  return vec4f(max(min(stepsOf(v) + i32(p.yZero), vec4i(i32(p.high))), vec4i(i32(p.low))));
}

// Sums of more than 24 bits are rounded by an addition, because devices may convert otherwise.
fn requantised(sum: vec4i, scale: vec4f, bias: vec4f) -> vec4f {
  let whole = rounded(vec4f(sum & vec4i(-4096)) + vec4f(sum & vec4i(4095)));
  return bytesOf(rounded(whole * scale) + bias);
}
