// The tile under products of bytes: a workgroup makes 4 * THREADS_Y rows of 4 * THREADS_X columns, an invocation four rows
// (THREADS_Y apart) of four columns, in steps of 16 words along the sum, each of four bytes. Weights lie so: in panels of
// 8 columns, within a panel by word, within a word's by column. Rows are taken by 128 less, and with them their zero point,
// so that both operands are signed; the sum of each column's weights, which puts that right, is made along with the tile.
// Around it a module defines rowCount, columnCount, wordCount, panelAt, seekRow, seekWord, rowWord, zeroPoint and writeRow.
override THREADS_X: u32 = 8;
override THREADS_Y: u32 = 8;

// An odd one, so that neighbours write to different banks.
override ROW_LINE: u32 = 4 * THREADS_Y + 1;
override THREADS: u32 = THREADS_X * THREADS_Y;
override ROW_LOADS: u32 = 64 / THREADS_X;
override WEIGHT_LOADS: u32 = 16 / THREADS_Y;

// [word of the step][row] and [word of the step][quad of columns].
var<workgroup> rowTile: array<u32, 16 * ROW_LINE>;
var<workgroup> weightTile: array<vec4u, 16 * THREADS_X>;

// Of the weights that an invocation loads: where they begin, and their sums so far.
var<private> weightStart: array<u32, 4>;
var<private> weightSums: array<vec4i, 4>;

fn dots(a: u32, b: vec4u) -> vec4i {
  return vec4i(dot8(a, b.x), dot8(a, b.y), dot8(a, b.z), dot8(a, b.w));
}

// Where in the tile the `l`th load of weights belongs, as neighbours have it in memory.
fn weightPlace(l: u32) -> u32 {
  return ((l >> 1) & 15) * THREADS_X + (l >> 5) * 2 + (l & 1);
}

@compute @workgroup_size(THREADS_X, THREADS_Y)
fn product8(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) index: u32) {
  let firstRow = group.x * 4 * THREADS_Y;
  let firstQuad = group.y * THREADS_X;
  let words = wordCount();
  for (var i = 0u; i < ROW_LOADS; i++) {
    seekRow(i, firstRow + ((index + i * THREADS) >> 4), group.z);
  }
  for (var i = 0u; i < WEIGHT_LOADS; i++) {
    let l = index + i * THREADS;
    weightStart[i] = (p.wAt >> 4) + panelAt((firstQuad >> 1) + (l >> 5), group.z) * words * 2 + (l & 1);
  }
  var sum0 = vec4i();
  var sum1 = vec4i();
  var sum2 = vec4i();
  var sum3 = vec4i();
  for (var first = 0u; first < words; first += 16) {
    seekWord(first + (index & 15));
    for (var i = 0u; i < ROW_LOADS; i++) {
      rowTile[(index & 15) * ROW_LINE + ((index + i * THREADS) >> 4)] = rowWord(i) ^ 0x80808080;
    }
    for (var i = 0u; i < WEIGHT_LOADS; i++) {
      let l = index + i * THREADS;
      let word = first + ((l >> 1) & 15);
      var w = vec4u();
      if (word < words) {
        w = weights[weightStart[i] + word * 2];
      }
      weightSums[i] += dots(0x01010101, w);
      weightTile[weightPlace(l)] = w;
    }
    workgroupBarrier();
    let last = min(words - first, 16u);
    for (var q = 0u; q < last; q++) {
      let at = q * ROW_LINE + local.y;
      let w = weightTile[q * THREADS_X + local.x];
      sum0 += dots(rowTile[at], w);
      sum1 += dots(rowTile[at + THREADS_Y], w);
      sum2 += dots(rowTile[at + 2 * THREADS_Y], w);
      sum3 += dots(rowTile[at + 3 * THREADS_Y], w);
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < WEIGHT_LOADS; i++) {
    weightTile[weightPlace(index + i * THREADS)] = bitcast<vec4u>(weightSums[i]);
  }
  workgroupBarrier();
  var total = vec4i();
  for (var q = 0u; q < 16; q++) {
    total += bitcast<vec4i>(weightTile[q * THREADS_X + local.x]);
  }
  total *= 128 - i32(zeroPoint());
  let column = (firstQuad + local.x) * 4;
  if (column >= columnCount()) {
    return;
  }
  let row = firstRow + local.y;
  let rows = rowCount();
  if (row < rows) {
    writeRow(row, column, group.z, sum0 + total);
  }
  if (row + THREADS_Y < rows) {
    writeRow(row + THREADS_Y, column, group.z, sum1 + total);
  }
  if (row + 2 * THREADS_Y < rows) {
    writeRow(row + 2 * THREADS_Y, column, group.z, sum2 + total);
  }
  if (row + 3 * THREADS_Y < rows) {
    writeRow(row + 3 * THREADS_Y, column, group.z, sum3 + total);
  }
}
