// The place of each window's first maximum in the flat input, of all images and channels; with `columns`, rows of a plane
// lie closest. Fields as in pool.wgsl.
struct PoolIndex {
  columns: u32,
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

@group(0) @binding(2) var<uniform> p: PoolIndex;

@compute @workgroup_size(64)
fn poolIndex(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local);
  let c = i % p.channels;
  let o = unravel(i / p.channels, vec4u(p.batch, p.y0, p.y1, p.y2));
  if (i >= p.batch * p.y0 * p.y1 * p.y2 * p.channels) {
    return;
  }
  let t0 = tapsOf(o.y, p.s0, p.b0, p.d0, p.k0, p.x0, p.e0);
  let t1 = tapsOf(o.z, p.s1, p.b1, p.d1, p.k1, p.x1, p.e1);
  let t2 = tapsOf(o.w, p.s2, p.b2, p.d2, p.k2, p.x2, p.e2);
  let image = p.xAt + o.x * p.xBatch + c;
  var largest = -infinity();
  var place = 0u;
  for (var k0 = t0.first; k0 < t0.end; k0++) {
    let a0 = u32(t0.start + i32(k0 * p.d0));
    for (var k1 = t1.first; k1 < t1.end; k1++) {
      let a1 = u32(t1.start + i32(k1 * p.d1));
      for (var k2 = t2.first; k2 < t2.end; k2++) {
        let a2 = u32(t2.start + i32(k2 * p.d2));
        let v = load(image + a0 * p.i0 + a1 * p.i1 + a2 * p.i2);
        if (v > largest) {
          largest = v;
          place = select((a0 * p.x1 + a1) * p.x2 + a2, (a2 * p.x1 + a1) * p.x0 + a0, p.columns != 0);
        }
      }
    }
  }
  let plane = (o.x * p.channels + c) * p.x0 * p.x1 * p.x2;
  store(p.yAt + o.x * p.yBatch + o.y * p.o0 + o.z * p.o1 + o.w * p.o2 + c, f32(plane + place));
}
