// Each group of neighbouring channels of each image brought to mean 0 and variance 1, then scaled and shifted by
// channel, or by group with `perGroup`, and activated: a workgroup for a group, or for four groups of one channel each.
struct GroupNorm {
  batch: u32,
  channels: u32,
  groups: u32,
  perGroup: u32,
  epsilon: f32,
  p0: u32,
  p1: u32,
  p2: u32,
  xBatch: u32,
  x0: u32,
  x1: u32,
  x2: u32,
  yBatch: u32,
  y0: u32,
  y1: u32,
  y2: u32,
  act: u32,
  alpha: f32,
  beta: f32,
  xAt: u32,
  scaleAt: u32,
  biasAt: u32,
  workAt: u32,
  yAt: u32,
}

@group(0) @binding(2) var<uniform> p: GroupNorm;

// Whether each lane is a group of its own.
override APART: bool = false;

// Of element `i`: where its pixel lies in input and output, and its channel within the group.
fn placeOf(i: u32, width: u32) -> vec3u {
  let k = unravel(i / width, vec4u(1, p.p0, p.p1, p.p2)).yzw;
  return vec3u(dot(k, vec3u(p.x0, p.x1, p.x2)), dot(k, vec3u(p.y0, p.y1, p.y2)), i % width);
}

fn total(sum: vec4f) -> vec4f {
  if (APART) {
    return sum;
  }
  return vec4f(acrossLanes(sum));
}

@compute @workgroup_size(64)
fn groupNorm(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let span = select(1, LANES, APART);
  let parts = p.groups / span;
  let i = groupIndex(group, groups);
  if (i >= p.batch * parts) {
    return;
  }
  let n = i / parts;
  let part = (i % parts) * span;
  let width = p.channels / p.groups;
  let first = part * width;
  let origin = p.xAt + n * p.xBatch + first;
  let to = p.yAt + n * p.yBatch + first;
  let elements = p.p0 * p.p1 * p.p2 * width;
  let step = select(LANES, 1, APART);
  let stride = 64 * step;
  var sum = vec4f();
  for (var e = local * step; e < elements; e += stride) {
    let at = placeOf(e, width);
    sum += loadLanes(origin + at.x + at.z);
  }
  let mean = total(joinedByAll(SUM, sum, local)) / f32(elements);
  var squares = vec4f();
  for (var e = local * step; e < elements; e += stride) {
    let at = placeOf(e, width);
    let off = loadLanes(origin + at.x + at.z) - mean;
    squares += off * off;
  }
  let variance = total(joinedByAll(SUM, squares, local)) / f32(elements);
  let factor = 1 / sqrt(variance + p.epsilon);
  for (var e = local * step; e < elements; e += stride) {
    let at = placeOf(e, width);
    let normal = (loadLanes(origin + at.x + at.z) - mean) * factor;
    var scale: vec4f;
    var bias: vec4f;
    if (p.perGroup != 0 && !APART) {
      scale = vec4f(fetch(p.scaleAt + part));
      bias = vec4f(fetch(p.biasAt + part));
    } else {
      scale = fetchLanes(p.scaleAt + first + at.z);
      bias = fetchLanes(p.biasAt + first + at.z);
    }
    storeLanes(to + at.y + at.z, activate(p.act, normal * scale + bias, vec4f(p.alpha), p.beta));
  }
}
