// One window per output pixel, channels innermost. Numbered fields are depth, row and column: x input and y output
// sizes, k kernel, s stride, d dilation, b and e padding at begin and end; i and o are strides of input and output.
struct Pool {
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
  xAt: u32,
  yAt: u32,
}

@group(0) @binding(2) var<uniform> p: Pool;

alias Sum = vec4f;

fn pooled(largest: vec4f, sum: Sum, inside: u32, counted: u32) -> vec4f {
  let share = select(counted, 1, p.kind == POOL_SUM);
  return select(sum / f32(share), largest, p.kind == POOL_MAX);
}
