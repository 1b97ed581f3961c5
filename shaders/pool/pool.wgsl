// One window per output pixel, channels innermost. Around it a module says what a Sum is, and what becomes of a window (pooled).
const POOL_MAX: u32 = 0;
const POOL_MEAN: u32 = 1;
const POOL_PADDED_MEAN: u32 = 2;
const POOL_SUM: u32 = 3;

@compute @workgroup_size(64)
fn pool(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local);
  let quads = p.channels / LANES;
  let c = (i % quads) * LANES;
  let o = unravel(i / quads, vec4u(p.batch, p.y0, p.y1, p.y2));
  if (i >= p.batch * p.y0 * p.y1 * p.y2 * quads) {
    return;
  }
  let t0 = tapsOf(o.y, p.s0, p.b0, p.d0, p.k0, p.x0, p.e0);
  let t1 = tapsOf(o.z, p.s1, p.b1, p.d1, p.k1, p.x1, p.e1);
  let t2 = tapsOf(o.w, p.s2, p.b2, p.d2, p.k2, p.x2, p.e2);
  let image = p.xAt + o.x * p.xBatch + c;
  var largest = vec4f(-infinity());
  var sum = Sum();
  for (var k0 = t0.first; k0 < t0.end; k0++) {
    let plane = image + u32(t0.start + i32(k0 * p.d0)) * p.i0;
    for (var k1 = t1.first; k1 < t1.end; k1++) {
      let line = plane + u32(t1.start + i32(k1 * p.d1)) * p.i1;
      for (var k2 = t2.first; k2 < t2.end; k2++) {
        let v = loadLanes(line + u32(t2.start + i32(k2 * p.d2)) * p.i2);
        largest = max(largest, v);
        sum += Sum(v);
      }
    }
  }
  let inside = (t0.end - t0.first) * (t1.end - t1.first) * (t2.end - t2.first);
  let counted = select(t0.padded * t1.padded * t2.padded, inside, p.kind == POOL_MEAN);
  let yAt = p.yAt + o.x * p.yBatch + o.y * p.o0 + o.z * p.o1 + o.w * p.o2 + c;
  storeLanes(yAt, pooled(largest, sum, inside, max(counted, 1)));
}
