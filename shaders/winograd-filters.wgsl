// Filters in conv's panels (group, panel, kernel position, channel, 8) to (group, point, panel, channel, 8), once, when a
// model is loaded: G g G^T. What the kernel writes takes the arena's place.
struct WinogradFilters {
  groups: u32,
  channels: u32,
  filters: u32,
  size: u32,
  kernel: u32,
  wAt: u32,
  uAt: u32,
}

@group(0) @binding(2) var<uniform> p: WinogradFilters;

// The factor of a filter's element `i` of `k` at point `at` of `side`: the points are 0, 1, -1, 2, -2 and infinity.
fn factorAt(at: u32, i: u32, k: u32, side: u32) -> f32 {
  if (at == side - 1) {
    return select(0.0, 1.0, i == k - 1);
  }
  let points = array(0.0, 1.0, -1.0, 2.0, -2.0);
  let four = array(1.0, 0.5, 0.5, 0.0, 0.0);
  let six = array(1.0 / 4, -1.0 / 6, -1.0 / 6, 1.0 / 24, 1.0 / 24);
  let scale = select(six[at], four[at], side == 4);
  var power = 1.0;
  for (var n = 0u; n < i; n++) {
    power *= points[at];
  }
  return scale * power;
}

@compute @workgroup_size(64)
fn winogradFilters(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let side = p.size + p.kernel - 1;
  let panels = (p.filters + 7) / 8;
  // Innermost the filter of a panel, then channel, panel, point and group.
  let i = listIndex(group, groups, local);
  let f = i % 8;
  let c = (i / 8) % p.channels;
  let panel = (i / (8 * p.channels)) % panels;
  let point = (i / (8 * p.channels * panels)) % (side * side);
  let part = i / (8 * p.channels * panels * side * side);
  if (part >= p.groups) {
    return;
  }
  let first = p.wAt + (part * panels + panel) * p.kernel * p.kernel * p.channels * 8 + c * 8 + f;
  var sum = 0.0;
  for (var y = 0u; y < p.kernel; y++) {
    for (var x = 0u; x < p.kernel; x++) {
      let factor = factorAt(point / side, y, p.kernel, side) * factorAt(point % side, x, p.kernel, side);
      sum += factor * weight(first + (y * p.kernel + x) * p.channels * 8);
    }
  }
  store(p.uAt + i, sum);
}
