// The sum of products of four bytes of each, which floats hold exactly.
fn dot8(a: u32, b: u32) -> i32 {
  return i32(dot(vec4f(unpacked(a)), vec4f(unpacked(b))));
}
