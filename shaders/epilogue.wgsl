// What follows a sum: a residual before or behind an activation.
const RESIDUAL_BEFORE: u32 = 1;
const RESIDUAL_AFTER: u32 = 2;

fn finished(sum: vec4f, residual: u32, r: vec4f, act: u32, alpha: vec4f, beta: f32) -> vec4f {
  if (residual == RESIDUAL_BEFORE) {
    return activate(act, sum + r, alpha, beta);
  }
  let v = activate(act, sum, alpha, beta);
  return select(v, v + r, residual == RESIDUAL_AFTER);
}
