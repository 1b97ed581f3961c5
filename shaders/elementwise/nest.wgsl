// The six indices of element `i` of the loops `d`. Outer ones often make one trip: then nothing is left for them.
fn unravel(i: u32, d1: u32, d2: u32, d3: u32, d4: u32, d5: u32) -> array<i32, 6> {
  var at = array<i32, 6>();
  at[5] = i32(i % d5);
  var rest = i / d5;
  if (rest == 0) {
    return at;
  }
  at[4] = i32(rest % d4);
  rest /= d4;
  if (rest == 0) {
    return at;
  }
  at[3] = i32(rest % d3);
  rest /= d3;
  if (rest == 0) {
    return at;
  }
  at[2] = i32(rest % d2);
  rest /= d2;
  at[1] = i32(rest % d1);
  at[0] = i32(rest / d1);
  return at;
}

fn stepped(i: array<i32, 6>, s0: i32, s1: i32, s2: i32, s3: i32, s4: i32, s5: i32) -> u32 {
  return u32(i[0] * s0 + i[1] * s1 + i[2] * s2 + i[3] * s3 + i[4] * s4 + i[5] * s5);
}
