// Channels scaled and shifted, and local response normalisation: channels innermost, k loops over pixels.
struct ScaleShift {
  channels: u32,
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
  act: u32,
  alpha: f32,
  beta: f32,
  xAt: u32,
  scaleAt: u32,
  shiftAt: u32,
  yAt: u32,
}

struct Lrn {
  channels: u32,
  size: u32,
  alpha: f32,
  beta: f32,
  bias: f32,
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

@group(0) @binding(2) var<uniform> p: ScaleShift;
@group(0) @binding(2) var<uniform> l: Lrn;

@compute @workgroup_size(64)
fn scaleShift(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local);
  let quads = p.channels / LANES;
  let c = (i % quads) * LANES;
  let pixel = i / quads;
  if (pixel >= p.k0 * p.k1 * p.k2 * p.k3) {
    return;
  }
  let at = vec2u(p.xAt, p.yAt) + placesOf(
    pixel,
    vec4u(p.k0, p.k1, p.k2, p.k3),
    vec4u(p.x0, p.x1, p.x2, p.x3),
    vec4u(p.y0, p.y1, p.y2, p.y3)
  ) + c;
  let x = loadLanes(at.x);
  let y = activate(p.act, x * fetchLanes(p.scaleAt + c) + fetchLanes(p.shiftAt + c), vec4f(p.alpha), p.beta);
  storeLanes(at.y, y);
}

@compute @workgroup_size(64)
fn lrn(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local);
  let quads = l.channels / LANES;
  let c = (i % quads) * LANES;
  let pixel = i / quads;
  if (pixel >= l.k0 * l.k1 * l.k2 * l.k3) {
    return;
  }
  let k = vec4u(l.k0, l.k1, l.k2, l.k3);
  let at = vec2u(l.xAt, l.yAt) + placesOf(pixel, k, vec4u(l.x0, l.x1, l.x2, l.x3), vec4u(l.y0, l.y1, l.y2, l.y3));
  let before = (l.size - 1) / 2;
  // Of each lane, the channels from the first on that its window takes in.
  let first = vec4i(i32(c) - i32(before)) + vec4i(0, 1, 2, 3);
  let end = min(c + LANES - 1 - before + l.size, l.channels);
  var sum = vec4f();
  for (var other = max(c, before) - before; other < end; other++) {
    let v = load(at.x + other);
    let within = vec4i(i32(other)) - first;
    sum += select(vec4f(), vec4f(v * v), (within >= vec4i()) & (within < vec4i(i32(l.size))));
  }
  let y = loadLanes(at.x + c) * exp2(-l.beta * log2(l.bias + l.alpha * sum));
  storeLanes(at.y + c, y);
}
