// Finishes up to four sums, whose scales and biases begin at element `own` of theirs.
fn requantiseQuad(sum: vec4i, own: u32, yAt: u32, count: u32) {
  storeSome(yAt, requantised(sum, constant4(p.scaleAt + own), constant4(p.biasAt + own)), count);
}
