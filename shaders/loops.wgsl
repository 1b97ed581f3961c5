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
