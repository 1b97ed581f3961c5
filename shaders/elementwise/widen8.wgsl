// Weights of 8 bits as floats.
struct Widen8 {
  panels: u32,
  rows: u32,
  columns: u32,
  wAt: u32,
  yAt: u32,
  scaleAt: u32,
}

@group(0) @binding(2) var<uniform> p: Widen8;

@compute @workgroup_size(64)
fn widen8(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = listIndex(group, groups, local);
  if (at >= p.panels * p.rows * p.columns) {
    return;
  }
  let column = at / (p.rows * p.columns) * p.columns + at % p.columns;
  store(p.yAt + at, constant(p.wAt + at) * constant(p.scaleAt + column));
}
