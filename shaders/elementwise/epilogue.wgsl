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

// Bias and slope of the four columns that are finished next, from element `own` of theirs on.
var<private> bias: vec4f;
var<private> slope: vec4f;

fn seekOperands(own: u32) {
  bias = fetch4(p.biasAt + own);
  slope = vec4f(p.alpha);
  if (p.act == PRELU) {
    slope = fetch4(p.slopeAt + own);
  }
}

// Finishes up to four sums, with residual and output at their addresses.
fn finishQuad(sum: vec4f, rAt: u32, yAt: u32, count: u32) {
  var r = vec4f();
  if (p.residual != 0) {
    r = load4(rAt);
  }
  storeSome(yAt, finished(sum + bias, p.residual, r, p.act, slope, p.beta), count);
}
