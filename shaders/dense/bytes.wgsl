// Sums of products of bytes, exact in 32 bits, and where their weights lie: rows in groups of 4, within a group by column.
alias Sum = vec4i;

// Floats sum four products exactly. Behind 1.5 * 2^23 the sum is in their last bits.
fn summed(sum: Sum, a: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> Sum {
  let four = fma(vec4f(a.w), b3, fma(vec4f(a.z), b2, fma(vec4f(a.y), b1, fma(vec4f(a.x), b0, vec4f(12582912)))));
  return sum + bitcast<vec4i>(four) - vec4i(0x4b400000);
}

// Sums of bytes are in one piece.
fn partOf(sum: Sum) -> vec4f {
  return vec4f(sum);
}

fn sumOf(shares: vec4f) -> Sum {
  return Sum(shares);
}

fn origin() -> f32 {
  return f32(p.xZero);
}

fn depthOf(rows: u32) -> u32 {
  return (rows + 3) & ~3u;
}

fn placeOfRow(k: u32, half: u32) -> u32 {
  return (k & ~3u) * 8 + half * 16 + (k & 3);
}

fn weightsAt(at: u32) -> vec4f {
  return vec4f(constant(at), constant(at + 4), constant(at + 8), constant(at + 12));
}

// Finishes up to four sums, whose scales and biases begin at element `own` of theirs.
fn requantiseQuad(sum: Sum, own: u32, yAt: u32, count: u32) {
  storeSome(yAt, requantised(sum, constant4(p.scaleAt + own), constant4(p.biasAt + own)), count);
}
