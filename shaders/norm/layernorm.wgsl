// Each contiguous row of `count` elements brought to mean 0 and variance 1, then scaled and shifted by element: a
// workgroup for a row.
struct LayerNorm {
  count: u32,
  biased: u32,
  epsilon: f32,
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
  scaleAt: u32,
  biasAt: u32,
  yAt: u32,
}

@group(0) @binding(2) var<uniform> p: LayerNorm;

@compute @workgroup_size(64)
fn layerNorm(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = groupIndex(group, groups);
  if (row >= p.k0 * p.k1 * p.k2 * p.k3) {
    return;
  }
  let at = vec2u(p.xAt, p.yAt) + placesOf(
    row,
    vec4u(p.k0, p.k1, p.k2, p.k3),
    vec4u(p.x0, p.x1, p.x2, p.x3),
    vec4u(p.y0, p.y1, p.y2, p.y3)
  );
  let stride = 64 * LANES;
  var sum = vec4f();
  for (var i = local * LANES; i < p.count; i += stride) {
    sum += loadLanes(at.x + i);
  }
  let mean = acrossLanes(joinedByAll(SUM, sum, local)) / f32(p.count);
  // What the rounding of a mean that is large beside the deviation from it has lost.
  var rest = vec4f();
  var squares = vec4f();
  for (var i = local * LANES; i < p.count; i += stride) {
    let off = loadLanes(at.x + i) - mean;
    rest += off;
    squares += off * off;
  }
  let lost = acrossLanes(joinedByAll(SUM, rest, local)) / f32(p.count);
  let variance = max(acrossLanes(joinedByAll(SUM, squares, local)) / f32(p.count) - lost * lost, 0);
  let factor = 1 / sqrt(variance + p.epsilon);
  for (var i = local * LANES; i < p.count; i += stride) {
    var y = (loadLanes(at.x + i) - mean - lost) * factor * fetchLanes(p.scaleAt + i);
    if (p.biased != 0) {
      y += fetchLanes(p.biasAt + i);
    }
    storeLanes(at.y + i, y);
  }
}
