// Windows of bytes, with the fields of pool-floats.wgsl.
struct Pool8 {
  kind: u32,
  batch: u32,
  channels: u32,
  x0: u32,
  x1: u32,
  x2: u32,
  y0: u32,
  y1: u32,
  y2: u32,
  k0: u32,
  k1: u32,
  k2: u32,
  s0: u32,
  s1: u32,
  s2: u32,
  d0: u32,
  d1: u32,
  d2: u32,
  b0: u32,
  b1: u32,
  b2: u32,
  e0: u32,
  e1: u32,
  e2: u32,
  xBatch: u32,
  i0: u32,
  i1: u32,
  i2: u32,
  yBatch: u32,
  o0: u32,
  o1: u32,
  o2: u32,
  xZero: u32,
  scale: f32,
  yZero: u32,
  low: u32,
  high: u32,
  xAt: u32,
  yAt: u32,
}

@group(0) @binding(2) var<uniform> p: Pool8;

alias Sum = vec4i;

fn pooled(largest: vec4f, sum: Sum, inside: u32, counted: u32) -> vec4f {
  let share = quotient(p.scale, f32(counted));
  let mean = requantised(sum - i32(p.xZero * inside), vec4f(share), vec4f());
  return select(mean, max(largest, vec4f()), p.kind == POOL_MAX);
}
