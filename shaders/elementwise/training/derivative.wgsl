// y = a * f'(b), where `act`, `alpha` and `beta` name f; `kind` says nothing.
struct Slope {
  d0: u32,
  d1: u32,
  d2: u32,
  d3: u32,
  d4: u32,
  d5: u32,
  a0: i32,
  a1: i32,
  a2: i32,
  a3: i32,
  a4: i32,
  a5: i32,
  b0: i32,
  b1: i32,
  b2: i32,
  b3: i32,
  b4: i32,
  b5: i32,
  y0: i32,
  y1: i32,
  y2: i32,
  y3: i32,
  y4: i32,
  y5: i32,
  kind: u32,
  act: u32,
  alpha: f32,
  beta: f32,
  aAt: u32,
  bAt: u32,
  yAt: u32,
}

@group(0) @binding(2) var<uniform> p: Slope;

// Derivatives of activation.wgsl's functions that have one, 0 where a function is flat or steps, one side's value at a kink.
fn slopeOf(kind: u32, v: vec4f, alpha: vec4f, beta: f32) -> vec4f {
  switch (kind) {
    case IDENTITY: {
      return vec4f(1);
    }
    case CLIP: {
      return vec4f((v > alpha) & (v < vec4f(beta)));
    }
    case LEAKY_RELU, PRELU: {
      return select(vec4f(1), alpha, v < vec4f());
    }
    case SIGMOID: {
      return sigmoid(v) * sigmoid(-v);
    }
    case TANH: {
      return 1 - bentTanh(v) * bentTanh(v);
    }
    case HARD_SIGMOID: {
      return select(vec4f(), alpha, isBetween(v * alpha + beta));
    }
    case HARD_SWISH: {
      return saturate(v * alpha + beta) + select(vec4f(), alpha * v, isBetween(v * alpha + beta));
    }
    case SILU: {
      return sigmoid(v) * (1 + v * sigmoid(-v));
    }
    case MISH: {
      let t = bentTanh(softplus(v));
      return t + v * (1 - t * t) * sigmoid(v);
    }
    case ELU: {
      return select(vec4f(1), alpha * exp(v), v < vec4f());
    }
    case SELU: {
      return beta * select(vec4f(1), alpha * exp(v), v < vec4f());
    }
    case SOFTPLUS: {
      return sigmoid(v);
    }
    case GELU: {
      return 0.5 * (1 + erf(v * 0.70710678)) + v * 0.39894228 * exp(-0.5 * v * v);
    }
    case GELU_TANH: {
      let t = bentTanh(v * (0.79788456 + 0.035677408 * v * v));
      return 0.5 * (1 + t) + 0.5 * v * (1 - t * t) * (0.79788456 + 0.10703222 * v * v);
    }
    case ERF: {
      return 1.1283792 * exp(-v * v);
    }
    case EXP: {
      return exp(v);
    }
    case LOG: {
      return 1 / v;
    }
    case SQRT: {
      return 0.5 / sqrt(v);
    }
    case ABS: {
      return sign(v);
    }
    case NEG: {
      return vec4f(-1);
    }
    case RECIPROCAL: {
      return -1 / (v * v);
    }
    case SOFTSIGN: {
      let t = 1 + abs(v);
      return 1 / (t * t);
    }
    case THRESHOLDED_RELU: {
      return vec4f(v > alpha);
    }
    case AFFINE: {
      return alpha;
    }
    default: {
      return vec4f();
    }
  }
}

fn isBetween(v: vec4f) -> vec4<bool> {
  return (v > vec4f()) & (v < vec4f(1));
}

@compute @workgroup_size(64)
fn slope(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = listIndex(group, groups, local);
  if (at >= p.d0 * p.d1 * p.d2 * p.d3 * p.d4 * p.d5) {
    return;
  }
  let i = unravel(at, p.d1, p.d2, p.d3, p.d4, p.d5);
  let a = fetch(p.aAt + stepped(i, p.a0, p.a1, p.a2, p.a3, p.a4, p.a5));
  let b = fetch(p.bAt + stepped(i, p.b0, p.b1, p.b2, p.b3, p.b4, p.b5));
  let y = a * slopeOf(p.act, vec4f(b), vec4f(p.alpha), p.beta).x;
  store(p.yAt + stepped(i, p.y0, p.y1, p.y2, p.y3, p.y4, p.y5), y);
}
