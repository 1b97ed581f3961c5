// A product of few rows, whose time is that of reading the weights: a workgroup for a panel of 8 columns of one row, of which each invocation sums every 64th product.
@compute @workgroup_size(64)
fn rowTimesPanel(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let panel = group.x;
  let row = group.y;
  let start = p.xAt + row * p.xRow;
  let first = p.wAt + panel * p.inner * 8;
  var low = vec4f();
  var high = vec4f();
  let steps = (p.inner + 63) / 64;
  for (var step = 0u; step < steps; step++) {
    let k = step * 64 + local;
    if (k < p.inner) {
      let x = vec4f(load(start + k));
      low = fma(x, weight4(first + k * 8), low);
      high = fma(x, weight4(first + k * 8 + 4), high);
    }
  }
  let sums = sumsOfAll(low, high, local);
  let column = panel * 8 + local * 4;
  if (local < 2 && column < p.columns) {
    seekColumns(column, 0);
    writeRow(row, column, 0, sums[local]);
  }
}
