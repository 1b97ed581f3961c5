// Running sums of `count` elements along an axis, from either end, with the element itself or without.
struct Cumsum {
  exclusive: u32,
  reverse: u32,
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

@group(0) @binding(2) var<uniform> p: Cumsum;

// Where row `i` begins in input and output.
fn placeOf(i: u32) -> vec2u {
  return vec2u(p.xAt, p.yAt) + placesOf(
    i,
    vec4u(p.k0, p.k1, p.k2, p.k3),
    vec4u(p.x0, p.x1, p.x2, p.x3),
    vec4u(p.y0, p.y1, p.y2, p.y3)
  );
}

// The position of the element that is added as number `i`.
fn turn(i: u32) -> u32 {
  return select(i, p.count - 1 - i, p.reverse != 0);
}

// Writes the sums of the elements `first` .. `end` - 1, with `sum` in front of them.
fn write(at: vec2u, first: u32, end: u32, sum: f32) {
  var before = sum;
  for (var i = first; i < end; i++) {
    let next = before + load(at.x + turn(i) * p.xStep);
    store(at.y + turn(i) * p.yStep, select(next, before, p.exclusive != 0));
    before = next;
  }
}

@compute @workgroup_size(64)
fn cumsum(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local);
  if (i >= p.k0 * p.k1 * p.k2 * p.k3) {
    return;
  }
  write(placeOf(i), 0, p.count, 0);
}

var<workgroup> sums: array<f32, 64>;

// A workgroup for a row: each invocation sums up its part, then goes over it once more with what the parts before have.
@compute @workgroup_size(64)
fn longCumsum(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = groupIndex(group, groups);
  if (i >= p.k0 * p.k1 * p.k2 * p.k3) {
    return;
  }
  let at = placeOf(i);
  let part = (p.count + 63) / 64;
  let first = min(local * part, p.count);
  let end = min(first + part, p.count);
  var own = 0.0;
  for (var j = first; j < end; j++) {
    own += load(at.x + turn(j) * p.xStep);
  }
  sums[local] = own;
  workgroupBarrier();
  var before = 0.0;
  for (var j = 0u; j < local; j++) {
    before += sums[j];
  }
  write(at, first, end, before);
}
