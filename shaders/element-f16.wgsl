// Activations in half precision: sums stay in single precision, what is stored is cut to the range of halves.
enable f16;
alias Element = f16;
const BYTES: u32 = 2;

fn narrow(v: vec4f) -> vec4<f16> {
  return vec4<f16>(clamp(v, vec4f(-65504), vec4f(65504)));
}
