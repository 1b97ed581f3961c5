// The tile under dense products: a workgroup makes 4 * THREADS_Y rows of 4 * THREADS_X columns, an invocation four rows
// (THREADS_Y apart) of four columns, in steps of 16 along the sum. Rows and weights pass through workgroup memory, whose
// lines are two vectors longer than they need be, so that neighbours write to different banks.
// Around it a module defines rowCount, columnCount, stepCount, seekRow, seekWeights, rowQuad, weightQuad, advance and writeRow;
// what an invocation loads in each step it seeks once. What a sum is floats.wgsl says, or bytes.wgsl.
override THREADS_X: u32 = 8;
override THREADS_Y: u32 = 8;

override ROW_LINE: u32 = 4 * THREADS_Y + 2;
override WEIGHT_LINE: u32 = THREADS_X + 2;
override THREADS: u32 = THREADS_X * THREADS_Y;
override ROW_LOADS: u32 = (16 + THREADS_X - 1) / THREADS_X;
override WEIGHT_LOADS: u32 = (16 + THREADS_Y - 1) / THREADS_Y;

// [quad of the step][row] and [element of the step][quad of columns].
var<workgroup> rowTile: array<vec4f, 4 * ROW_LINE>;
var<workgroup> weightTile: array<vec4f, 16 * WEIGHT_LINE>;

@compute @workgroup_size(THREADS_X, THREADS_Y)
fn product(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) index: u32) {
  let firstRow = group.x * 4 * THREADS_Y;
  let firstQuad = group.y * THREADS_X;
  for (var i = 0u; i < ROW_LOADS; i++) {
    seekRow(i, firstRow + ((index + i * THREADS) >> 2), group.z);
  }
  for (var i = 0u; i < WEIGHT_LOADS; i++) {
    let l = index + i * THREADS;
    seekWeights(i, (l >> 1) & 15, firstQuad + (l >> 5) * 2 + (l & 1), group.z);
  }
  var sum0 = Sum();
  var sum1 = Sum();
  var sum2 = Sum();
  var sum3 = Sum();
  let steps = stepCount();
  for (var step = 0u; step < steps; step++) {
    for (var i = 0u; i < ROW_LOADS; i++) {
      let l = index + i * THREADS;
      rowTile[(l & 3) * ROW_LINE + (l >> 2)] = rowQuad(i, step, l & 3);
    }
    for (var i = 0u; i < WEIGHT_LOADS; i++) {
      let l = index + i * THREADS;
      let k = (l >> 1) & 15;
      let quad = (l >> 5) * 2 + (l & 1);
      weightTile[k * WEIGHT_LINE + quad] = weightQuad(i, step, k);
    }
    advance();
    workgroupBarrier();
    for (var q = 0u; q < 4; q++) {
      let at = q * ROW_LINE + local.y;
      let a0 = rowTile[at];
      let a1 = rowTile[at + THREADS_Y];
      let a2 = rowTile[at + 2 * THREADS_Y];
      let a3 = rowTile[at + 3 * THREADS_Y];
      let line = q * 4 * WEIGHT_LINE + local.x;
      let b0 = weightTile[line];
      let b1 = weightTile[line + WEIGHT_LINE];
      let b2 = weightTile[line + 2 * WEIGHT_LINE];
      let b3 = weightTile[line + 3 * WEIGHT_LINE];
      sum0 = summed(sum0, a0, b0, b1, b2, b3);
      sum1 = summed(sum1, a1, b0, b1, b2, b3);
      sum2 = summed(sum2, a2, b0, b1, b2, b3);
      sum3 = summed(sum3, a3, b0, b1, b2, b3);
    }
    workgroupBarrier();
  }
  let column = (firstQuad + local.x) * 4;
  if (column >= columnCount()) {
    return;
  }
  let row = firstRow + local.y;
  let rows = rowCount();
  if (row < rows) {
    writeRow(row, column, group.z, sum0);
  }
  if (row + THREADS_Y < rows) {
    writeRow(row + THREADS_Y, column, group.z, sum1);
  }
  if (row + 2 * THREADS_Y < rows) {
    writeRow(row + 2 * THREADS_Y, column, group.z, sum2);
  }
  if (row + 3 * THREADS_Y < rows) {
    writeRow(row + 3 * THREADS_Y, column, group.z, sum3);
  }
}
