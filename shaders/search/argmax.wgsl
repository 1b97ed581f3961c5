// Position of the largest (least) of `count` elements that lie `step` apart; the first or last of equal ones.
struct Argmax {
  least: u32,
  last: u32,
  count: u32,
  step: u32,
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

@group(0) @binding(2) var<uniform> p: Argmax;

// Where output `i` begins in input and output.
fn placeOf(i: u32) -> vec2u {
  return vec2u(p.xAt, p.yAt) + placesOf(
    i,
    vec4u(p.k0, p.k1, p.k2, p.k3),
    vec4u(p.x0, p.x1, p.x2, p.x3),
    vec4u(p.y0, p.y1, p.y2, p.y3)
  );
}

struct Best {
  value: f32,
  position: u32,
}

// The better of two, of which `b` stands behind `a` or has the same position.
fn better(a: Best, b: Best) -> Best {
  let gains = select(b.value > a.value, b.value < a.value, p.least != 0);
  if (gains || (b.value == a.value && p.last != 0)) {
    return b;
  }
  return a;
}

@compute @workgroup_size(64)
fn argmax(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local);
  if (i >= p.k0 * p.k1 * p.k2 * p.k3) {
    return;
  }
  let at = placeOf(i);
  var best = Best(load(at.x), 0);
  for (var j = 1u; j < p.count; j++) {
    best = better(best, Best(load(at.x + j * p.step), j));
  }
  store(at.y, f32(best.position));
}

var<workgroup> found: array<Best, 64>;

// A workgroup for an output: each invocation looks through a part of the row, so that parts stay in order.
@compute @workgroup_size(64)
fn longArgmax(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = groupIndex(group, groups);
  if (i >= p.k0 * p.k1 * p.k2 * p.k3) {
    return;
  }
  let at = placeOf(i);
  let part = (p.count + 63) / 64;
  let first = min(local * part, p.count - 1);
  var best = Best(load(at.x + first * p.step), first);
  for (var j = first + 1; j < min(first + part, p.count); j++) {
    best = better(best, Best(load(at.x + j * p.step), j));
  }
  found[local] = best;
  for (var width = 1u; width < 64; width <<= 1) {
    workgroupBarrier();
    if (local % (2 * width) == 0) {
      found[local] = better(found[local], found[local + width]);
    }
  }
  if (local == 0) {
    store(at.y, f32(found[0].position));
  }
}
