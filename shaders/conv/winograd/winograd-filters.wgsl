// The filters of F(4 x 4, 3 x 3), in conv's panels (panel, kernel position, channel, 8), to (point, panel, channel, 8), once, when
// a model is loaded: G g G^T. What the kernel writes takes the arena's place.
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

// The factor of a filter's element `i` at a point (compiler/ops/conv/winograd.ts): an entry of G.
fn factorAt(at: u32, i: u32) -> f32 {
  let points = array(0.0, sqrt(0.5), -sqrt(0.5), sqrt(2.0), -sqrt(2.0));
  let scales = array(1.0, -2.0 / 3, -2.0 / 3, 1.0 / 6, 1.0 / 6);
  if (at == 5) {
    return select(0.0, 1.0, i == 2);
  }
  return scales[at] * select(select(points[at] * points[at], points[at], i == 1), 1.0, i == 0);
}

@compute @workgroup_size(64)
fn winogradFilters(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let panels = (p.filters + 7) / 8;
  // Innermost the filter of a panel, then channel, panel and point.
  let i = listIndex(group, groups, local);
  let f = i % 8;
  let c = (i / 8) % p.channels;
  let panel = (i / (8 * p.channels)) % panels;
  let point = i / (8 * p.channels * panels);
  if (point >= 36) {
    return;
  }
  let first = p.wAt + (panel * 9 * p.channels + c) * 8 + f;
  var sum = 0.0;
  for (var y = 0u; y < 3; y++) {
    for (var x = 0u; x < 3; x++) {
      sum += factorAt(point / 6, y) * factorAt(point % 6, x) * weight(first + (y * 3 + x) * p.channels * 8);
    }
  }
  store(p.uAt + i, sum);
}
