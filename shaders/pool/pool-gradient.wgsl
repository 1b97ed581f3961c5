// The gradient of a pooling's input, element by element: what the windows that it lies in give it. Of a maximum that is
// all of a window's gradient where no element in front of it is as large and none behind it larger. Fields are those of
// pool-floats.wgsl; the result is dense.
struct PoolGradient {
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
  dyAt: u32,
  dxAt: u32,
}

@group(0) @binding(2) var<uniform> p: PoolGradient;

const KIND_MAX: u32 = 0;
const KIND_MEAN: u32 = 1;
const KIND_SUM: u32 = 3;

// The window along one axis of which element `a` is tap `k`, or one behind the last.
fn windowOf(a: u32, k: u32, stride: u32, before: u32, dilation: u32, size: u32) -> u32 {
  let start = i32(a + before) - i32(k * dilation);
  if (start < 0 || u32(start) % stride != 0) {
    return size;
  }
  return min(u32(start) / stride, size);
}

// Whether tap `own` of the window is its first maximum.
fn isFirst(image: u32, t0: Taps, t1: Taps, t2: Taps, own: vec3u) -> bool {
  var largest = -infinity();
  var first = vec3u(p.k0);
  for (var k0 = t0.first; k0 < t0.end; k0++) {
    let plane = image + u32(t0.start + i32(k0 * p.d0)) * p.i0;
    for (var k1 = t1.first; k1 < t1.end; k1++) {
      let line = plane + u32(t1.start + i32(k1 * p.d1)) * p.i1;
      for (var k2 = t2.first; k2 < t2.end; k2++) {
        let v = load(line + u32(t2.start + i32(k2 * p.d2)) * p.i2);
        if (v > largest) {
          largest = v;
          first = vec3u(k0, k1, k2);
        }
      }
    }
  }
  return all(first == own);
}

@compute @workgroup_size(64)
fn poolGradient(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local);
  if (i >= p.batch * p.x0 * p.x1 * p.x2 * p.channels) {
    return;
  }
  let c = i % p.channels;
  let a = unravel(i / p.channels, vec4u(p.batch, p.x0, p.x1, p.x2));
  let image = p.xAt + a.x * p.xBatch + c;
  var sum = 0.0;
  for (var k0 = 0u; k0 < p.k0; k0++) {
    let o0 = windowOf(a.y, k0, p.s0, p.b0, p.d0, p.y0);
    if (o0 == p.y0) {
      continue;
    }
    let t0 = tapsOf(o0, p.s0, p.b0, p.d0, p.k0, p.x0, p.e0);
    for (var k1 = 0u; k1 < p.k1; k1++) {
      let o1 = windowOf(a.z, k1, p.s1, p.b1, p.d1, p.y1);
      if (o1 == p.y1) {
        continue;
      }
      let t1 = tapsOf(o1, p.s1, p.b1, p.d1, p.k1, p.x1, p.e1);
      for (var k2 = 0u; k2 < p.k2; k2++) {
        let o2 = windowOf(a.w, k2, p.s2, p.b2, p.d2, p.y2);
        if (o2 == p.y2) {
          continue;
        }
        let t2 = tapsOf(o2, p.s2, p.b2, p.d2, p.k2, p.x2, p.e2);
        let gradient = load(p.dyAt + a.x * p.yBatch + o0 * p.o0 + o1 * p.o1 + o2 * p.o2 + c);
        if (p.kind == KIND_MAX) {
          if (isFirst(image, t0, t1, t2, vec3u(k0, k1, k2))) {
            sum += gradient;
          }
        } else {
          let inside = (t0.end - t0.first) * (t1.end - t1.first) * (t2.end - t2.first);
          let counted = select(t0.padded * t1.padded * t2.padded, inside, p.kind == KIND_MEAN);
          sum += gradient / f32(select(max(counted, 1), 1, p.kind == KIND_SUM));
        }
      }
    }
  }
  store(p.dxAt + i, sum);
}
