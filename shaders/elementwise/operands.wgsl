// Four neighbouring elements, or one, of an operand that may be a constant.
fn fetchLanes(at: u32) -> vec4f {
  if (LANES == 4) {
    return fetch4(at);
  }
  return vec4f(fetch(at));
}
