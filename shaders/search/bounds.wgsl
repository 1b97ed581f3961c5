// Whether indices lie in an axis of `size`, from its beginning or its end: the first that does not is kept in `fault`, behind a
// 1. They lie `step` apart, in `outer` blocks of `most` rows of `inner`; where `limited`, only the first `count` rows of each count.
struct Bounds {
  outer: u32,
  most: u32,
  inner: u32,
  step: u32,
  size: u32,
  limited: u32,
  indicesAt: u32,
  countAt: u32,
  faultAt: u32,
}

@group(0) @binding(2) var<uniform> p: Bounds;

const WIDTH: u32 = 256;
const NONE: u32 = 0xffffffff;

var<workgroup> earliest: atomic<u32>;

@compute @workgroup_size(256)
fn bounds(@builtin(local_invocation_index) local: u32) {
  if (local == 0) {
    atomicStore(&earliest, NONE);
  }
  workgroupBarrier();
  var rows = p.most;
  if (p.limited != 0) {
    rows = min(u32(fetch(p.countAt)), p.most);
  }
  let size = f32(p.size);
  let area = p.most * p.inner;
  for (var i = local; i < p.outer * area; i += WIDTH) {
    if (i % area >= rows * p.inner) {
      continue;
    }
    let index = fetch(p.indicesAt + i * p.step);
    if (!(index >= -size && index < size)) {
      atomicMin(&earliest, i);
      break;
    }
  }
  workgroupBarrier();
  if (local == 0) {
    let found = atomicLoad(&earliest);
    store(p.faultAt, select(1.0, 0.0, found == NONE));
    store(p.faultAt + 1, 0);
    if (found != NONE) {
      store(p.faultAt + 1, fetch(p.indicesAt + found * p.step));
    }
  }
}
