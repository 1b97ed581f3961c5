// Image, class and box of all that are picked, behind each other; zeros behind them.
struct NmsRows {
  lines: u32,
  classes: u32,
  most: u32,
  pickedAt: u32,
  countsAt: u32,
  yAt: u32,
  countAt: u32,
}

@group(0) @binding(2) var<uniform> p: NmsRows;

fn found(line: u32) -> u32 {
  return min(u32(load(p.countsAt + line)), p.most);
}

fn storeRow(row: u32, image: u32, category: u32, box: f32) {
  let at = p.yAt + row * 3;
  store(at, f32(image));
  store(at + 1, f32(category));
  store(at + 2, box);
}

@compute @workgroup_size(64)
fn nmsRows(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local);
  if (i >= p.lines * p.most) {
    return;
  }
  let line = i / p.most;
  var before = 0u;
  var rows = 0u;
  for (var j = 0u; j < p.lines; j++) {
    if (j == line) {
      before = rows;
    }
    rows += found(j);
  }
  let own = i % p.most;
  if (own < found(line)) {
    storeRow(before + own, line / p.classes, line % p.classes, load(p.pickedAt + i));
  }
  if (i >= rows) {
    storeRow(i, 0, 0, 0);
  }
  if (i == 0) {
    store(p.countAt, f32(rows));
  }
}
