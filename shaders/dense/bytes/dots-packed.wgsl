// What dots.wgsl computes, where the language has it (packed_4x8_integer_dot_product).
fn dot8(a: u32, b: u32) -> i32 {
  return dot4I8Packed(a, b);
}
