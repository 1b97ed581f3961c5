// The sum of each column's weights, which kernels of other devices ask for.
struct Sums8 {
  panels: u32,
  groups: u32,
  wAt: u32,
  yAt: u32,
}

@group(0) @binding(2) var<uniform> p: Sums8;

@compute @workgroup_size(64)
fn sums8(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let column = listIndex(group, groups, local);
  if (column >= p.panels * 8) {
    return;
  }
  let first = p.wAt + ((column >> 3) * p.groups * 8 + (column & 7)) * 4;
  var sum = 0.0;
  for (var i = 0u; i < p.groups; i++) {
    sum += dot(constant4(first + i * 32), vec4f(1));
  }
  store(p.yAt + column, sum);
}
