// Updates at the end of a training step, of states where they lie; a step whose gradients are not finite changes nothing.
struct Sgd {
  count: u32,
  factor: f32,
  momentum: f32,
  nesterov: u32,
  l1: f32,
  l2: f32,
  clip: f32,
  gAt: u32,
  rateAt: u32,
  normAt: u32,
  wAt: u32,
  mAt: u32,
}

struct Adam {
  count: u32,
  factor: f32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
  l1: f32,
  l2: f32,
  decay: f32,
  clip: f32,
  gAt: u32,
  rateAt: u32,
  normAt: u32,
  wAt: u32,
  mAt: u32,
  vAt: u32,
}

@group(0) @binding(2) var<uniform> s: Sgd;
@group(0) @binding(2) var<uniform> a: Adam;

// What a gradient's norm leaves of a step: all, what clipping leaves, or nothing where it is not finite.
fn shareOf(norm: f32, clip: f32) -> f32 {
  // Compilers take comparisons of NaN and infinities for what they like.
  if ((bitcast<u32>(norm) & 0x7f800000) == 0x7f800000) {
    return 0;
  }
  return select(1.0, clip / norm, clip > 0 && norm > clip);
}

@compute @workgroup_size(64)
fn sgd(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local);
  let share = shareOf(load(s.normAt), s.clip);
  if (i >= s.count || share == 0) {
    return;
  }
  let w = load(s.wAt + i);
  let gradient = load(s.gAt + i) * share + s.l2 * w + s.l1 * sign(w);
  let m = s.momentum * load(s.mAt + i) + gradient;
  store(s.mAt + i, m);
  store(s.wAt + i, w - load(s.rateAt) * s.factor * select(m, gradient + s.momentum * m, s.nesterov != 0));
}

@compute @workgroup_size(64)
fn adam(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local);
  let share = shareOf(load(a.normAt), a.clip);
  if (i >= a.count || share == 0) {
    return;
  }
  let w = load(a.wAt + i);
  let gradient = load(a.gAt + i) * share + a.l2 * w + a.l1 * sign(w);
  let m = a.beta1 * load(a.mAt + i) + (1 - a.beta1) * gradient;
  let v = a.beta2 * load(a.vAt + i) + (1 - a.beta2) * gradient * gradient;
  store(a.mAt + i, m);
  store(a.vAt + i, v);
  let along = (m * load(a.rateAt + 1)) / (sqrt(v * load(a.rateAt + 2)) + a.epsilon) + a.decay * w;
  store(a.wAt + i, w - load(a.rateAt) * a.factor * along);
}
