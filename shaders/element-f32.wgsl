// Activations in single precision.
alias Element = f32;
const BYTES: u32 = 4;

fn narrow(v: vec4f) -> vec4f {
  return v;
}
