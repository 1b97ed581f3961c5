// n are input sizes, m output sizes and b elements put before, from the outermost loop to the innermost.
struct Pad {
  mode: u32,
  value: f32,
  n0: u32,
  n1: u32,
  n2: u32,
  n3: u32,
  n4: u32,
  m0: u32,
  m1: u32,
  m2: u32,
  m3: u32,
  m4: u32,
  b0: u32,
  b1: u32,
  b2: u32,
  b3: u32,
  b4: u32,
  x0: u32,
  x1: u32,
  x2: u32,
  x3: u32,
  x4: u32,
  y0: u32,
  y1: u32,
  y2: u32,
  y3: u32,
  y4: u32,
  xAt: u32,
  yAt: u32,
}

@group(0) @binding(2) var<uniform> p: Pad;

const PAD_CONSTANT: u32 = 0;
const PAD_REFLECT: u32 = 1;
const PAD_EDGE: u32 = 2;
const PAD_WRAP: u32 = 3;

// Where position `at` outside 0 .. size-1 takes its element from; -1 for the constant.
fn sourceOf(i: u32, before: u32, count: u32) -> i32 {
  let at = i32(i) - i32(before);
  let size = i32(count);
  if (at >= 0 && at < size) {
    return at;
  }
  switch (p.mode) {
    case PAD_EDGE: {
      return clamp(at, 0, size - 1);
    }
    case PAD_REFLECT: {
      let period = max(2 * (size - 1), 1);
      let phase = ((at % period) + period) % period;
      return min(phase, period - phase);
    }
    case PAD_WRAP: {
      return ((at % size) + size) % size;
    }
    default: {
      return -1;
    }
  }
}

@compute @workgroup_size(64)
fn pad(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = listIndex(group, groups, local) * LANES;
  if (at >= p.m0 * p.m1 * p.m2 * p.m3 * p.m4) {
    return;
  }
  let i4 = at % p.m4;
  let i = unravel(at / p.m4, vec4u(p.m0, p.m1, p.m2, p.m3));
  let s0 = sourceOf(i.x, p.b0, p.n0);
  let s1 = sourceOf(i.y, p.b1, p.n1);
  let s2 = sourceOf(i.z, p.b2, p.n2);
  let s3 = sourceOf(i.w, p.b3, p.n3);
  let s4 = sourceOf(i4, p.b4, p.n4);
  var y = vec4f(p.value);
  if (min(min(min(s0, s1), min(s2, s3)), s4) >= 0) {
    y = loadLanes(p.xAt + dot(vec4u(vec4i(s0, s1, s2, s3)), vec4u(p.x0, p.x1, p.x2, p.x3)) + u32(s4) * p.x4);
  }
  storeLanes(p.yAt + dot(i, vec4u(p.y0, p.y1, p.y2, p.y3)) + i4 * p.y4, y);
}
