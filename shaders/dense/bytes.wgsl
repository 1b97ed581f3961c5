// Bytes in words, and how sums of their products are finished.

// Four elements as a word, whatever is in those that count for nothing.
fn packed(v: vec4f) -> u32 {
  return dot(vec4u(v) & vec4u(255), vec4u(1, 256, 65536, 16777216));
}

// Four numbers from -128 to 127.
fn unpacked(word: u32) -> vec4i {
  return vec4i(vec4u(word) << vec4u(24, 16, 8, 0)) >> vec4u(24);
}

// Finishes up to four sums, whose scales and biases begin at element `own` of theirs.
fn requantiseQuad(sum: vec4i, own: u32, yAt: u32, count: u32) {
  storeSome(yAt, requantised(sum, constant4(p.scaleAt + own), constant4(p.biasAt + own)), count);
}
