// Determinants of square matrices of `size`, by elimination with the largest of each column as its pivot, each matrix in a
// part of `work`.
struct Det {
  count: u32,
  size: u32,
  xAt: u32,
  yAt: u32,
  workAt: u32,
}

@group(0) @binding(2) var<uniform> p: Det;

@compute @workgroup_size(64)
fn det(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local);
  if (i >= p.count) {
    return;
  }
  let size = p.size;
  let area = size * size;
  let a = p.workAt + i * area;
  for (var j = 0u; j < area; j++) {
    store(a + j, fetch(p.xAt + i * area + j));
  }
  var product = 1.0;
  for (var k = 0u; k < size; k++) {
    var best = k;
    for (var row = k + 1; row < size; row++) {
      if (abs(load(a + row * size + k)) > abs(load(a + best * size + k))) {
        best = row;
      }
    }
    let pivot = load(a + best * size + k);
    product *= select(-pivot, pivot, best == k);
    if (pivot == 0) {
      break;
    }
    for (var column = k; column < size; column++) {
      let moved = load(a + k * size + column);
      store(a + k * size + column, load(a + best * size + column));
      store(a + best * size + column, moved);
    }
    for (var row = k + 1; row < size; row++) {
      let factor = load(a + row * size + k) / pivot;
      for (var column = k + 1; column < size; column++) {
        store(a + row * size + column, load(a + row * size + column) - factor * load(a + k * size + column));
      }
    }
  }
  store(p.yAt + i, product);
}
