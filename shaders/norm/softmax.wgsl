// Softmax, or its logarithm, of rows whose elements lie xStep and yStep apart.
struct Softmax {
  logarithm: u32,
  count: u32,
  xStep: u32,
  yStep: u32,
  k0: u32,
  k1: u32,
  k2: u32,
  k3: u32,
  x0: u32,
  x1: u32,
  x2: u32,
  x3: u32,
  y0: u32,
  y1: u32,
  y2: u32,
  y3: u32,
  xAt: u32,
  yAt: u32,
}

@group(0) @binding(2) var<uniform> p: Softmax;

// Where a row begins in input and output.
fn rowAt(row: u32) -> vec2u {
  return vec2u(p.xAt, p.yAt) + placesOf(
    row,
    vec4u(p.k0, p.k1, p.k2, p.k3),
    vec4u(p.x0, p.x1, p.x2, p.x3),
    vec4u(p.y0, p.y1, p.y2, p.y3)
  );
}

fn rowCount() -> u32 {
  return p.k0 * p.k1 * p.k2 * p.k3;
}

fn share(shifted: f32, sum: f32) -> f32 {
  if (p.logarithm != 0) {
    return shifted - log(sum);
  }
  return exp(shifted) / sum;
}

@compute @workgroup_size(64)
fn softmax(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = listIndex(group, groups, local);
  if (row >= rowCount()) {
    return;
  }
  let at = rowAt(row);
  var largest = -infinity();
  for (var i = 0u; i < p.count; i++) {
    largest = max(largest, load(at.x + i * p.xStep));
  }
  var sum = 0f;
  for (var i = 0u; i < p.count; i++) {
    sum += exp(load(at.x + i * p.xStep) - largest);
  }
  for (var i = 0u; i < p.count; i++) {
    store(at.y + i * p.yStep, share(load(at.x + i * p.xStep) - largest, sum));
  }
}

// A workgroup for a row.
@compute @workgroup_size(64)
fn longSoftmax(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = groupIndex(group, groups);
  if (row >= rowCount()) {
    return;
  }
  let at = rowAt(row);
  var own = -infinity();
  for (var i = local; i < p.count; i += 64) {
    own = max(own, load(at.x + i * p.xStep));
  }
  let largest = joinedByAll(MAX, vec4f(own), local).x;
  var ownSum = 0f;
  for (var i = local; i < p.count; i += 64) {
    ownSum += exp(load(at.x + i * p.xStep) - largest);
  }
  let sum = joinedByAll(SUM, vec4f(ownSum), local).x;
  for (var i = local; i < p.count; i += 64) {
    store(at.y + i * p.yStep, share(load(at.x + i * p.xStep) - largest, sum));
  }
}
