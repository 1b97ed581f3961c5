// Floats to bytes, and BACK, over any strides.
struct Quantize {
  d0: u32,
  d1: u32,
  d2: u32,
  d3: u32,
  d4: u32,
  d5: u32,
  x0: i32,
  x1: i32,
  x2: i32,
  x3: i32,
  x4: i32,
  x5: i32,
  y0: i32,
  y1: i32,
  y2: i32,
  y3: i32,
  y4: i32,
  y5: i32,
  scale: f32,
  zero: u32,
  xAt: u32,
  yAt: u32,
}

@group(0) @binding(2) var<uniform> p: Quantize;

override BACK: bool = false;

@compute @workgroup_size(64)
fn quantize(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = listIndex(group, groups, local);
  if (at >= p.d0 * p.d1 * p.d2 * p.d3 * p.d4 * p.d5) {
    return;
  }
  let i = unravel(at, p.d1, p.d2, p.d3, p.d4, p.d5);
  let x = load(p.xAt + stepped(i, p.x0, p.x1, p.x2, p.x3, p.x4, p.x5));
  let yAt = p.yAt + stepped(i, p.y0, p.y1, p.y2, p.y3, p.y4, p.y5);
  let zero = i32(p.zero);
  if (BACK) {
    store(yAt, f32(i32(x) - zero) * p.scale);
  } else {
    store(yAt, f32(clamp(stepsOf(vec4f(quotient(x, p.scale))).x + zero, 0, 255)));
  }
}
