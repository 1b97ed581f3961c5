// Rows of `inner` elements picked by index from each of `outer` tables of `size` rows. Negative indices count from the
// end; what is still outside takes the nearest row.
struct Gather {
  outer: u32,
  size: u32,
  inner: u32,
  count: u32,
  xAt: u32,
  indicesAt: u32,
  yAt: u32,
}

@group(0) @binding(2) var<uniform> p: Gather;

@compute @workgroup_size(64)
fn gather(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = listIndex(group, groups, local) * LANES;
  if (at >= p.outer * p.count * p.inner || p.size == 0) {
    return;
  }
  let row = at / p.inner;
  let given = i32(fetch(p.indicesAt + row % p.count));
  let size = i32(p.size);
  let index = u32(clamp(select(given, given + size, given < 0), 0, size - 1));
  let origin = p.xAt + ((row / p.count) * p.size + index) * p.inner + at % p.inner;
  if (LANES == 4) {
    store4(p.yAt + at, fetch4(origin));
  } else {
    store(p.yAt + at, fetch(origin));
  }
}
