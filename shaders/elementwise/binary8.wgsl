// Sums and products of bytes with scales of their own, over any strides.
struct Binary8 {
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
  aZero: u32,
  bZero: u32,
  aScale: f32,
  bScale: f32,
  yScale: f32,
  yZero: u32,
  low: u32,
  high: u32,
  aAt: u32,
  bAt: u32,
  yAt: u32,
}

@group(0) @binding(2) var<uniform> p: Binary8;

const BINARY8_ADD: u32 = 0;

fn operand(at: u32, zero: u32, scale: f32) -> vec4f {
  return rounded(vec4f(f32(i32(load(at)) - i32(zero)) * scale));
}

@compute @workgroup_size(64)
fn binary8(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = listIndex(group, groups, local);
  if (at >= p.d0 * p.d1 * p.d2 * p.d3 * p.d4 * p.d5) {
    return;
  }
  let i = unravel(at, p.d1, p.d2, p.d3, p.d4, p.d5);
  let a = operand(p.aAt + stepped(i, p.a0, p.a1, p.a2, p.a3, p.a4, p.a5), p.aZero, p.aScale);
  let b = operand(p.bAt + stepped(i, p.b0, p.b1, p.b2, p.b3, p.b4, p.b5), p.bZero, p.bScale);
  let both = rounded(select(a * b, a + b, p.kind == BINARY8_ADD)).x;
  let yAt = p.yAt + stepped(i, p.y0, p.y1, p.y2, p.y3, p.y4, p.y5);
  store(yAt, bytesOf(vec4f(quotient(both, p.yScale))).x);
}
