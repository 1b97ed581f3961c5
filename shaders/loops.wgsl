// The indices of step `i` of four nested loops. Outer ones often make one trip: then nothing is left for them.
fn unravel(i: u32, sizes: vec4u) -> vec4u {
  var at = vec4u();
  at.w = i % sizes.w;
  var rest = i / sizes.w;
  if (rest == 0) {
    return at;
  }
  at.z = rest % sizes.z;
  rest /= sizes.z;
  if (rest == 0) {
    return at;
  }
  at.y = rest % sizes.y;
  at.x = rest / sizes.y;
  return at;
}

// Where step `i` of loops `k` lies behind the beginning of two operands, whose distances are `x` and `y`.
fn placesOf(i: u32, k: vec4u, x: vec4u, y: vec4u) -> vec2u {
  let at = unravel(i, k);
  return vec2u(dot(at, x), dot(at, y));
}
