// The tile under dense products: an invocation makes ROWS rows (THREADS_Y apart) of QUADS times four columns (THREADS_X quads
// apart), in steps of 16 along the sum. Rows and weights pass through workgroup memory, whose lines are two vectors longer than
// they need be, so that neighbours write to different banks. What a GPU's registers hold is written out, since not every
// compiler unrolls loops.
// Around it a module defines rowCount, columnCount, partCount, stepCount, seekRow, seekWeights, seekColumns, rowQuad, weightQuad, begin,
// advance and writeRow; what an invocation loads in each step it seeks once.
// Where there are few tiles, several workgroups make a share of each one's sums, which joinSums adds up in their order: as many
// as there are for each part in the third dimension.
override ROWS: u32 = 8;
override QUADS: u32 = 2;
override THREADS_X: u32 = 8;
override THREADS_Y: u32 = 8;

override ROW_LINE: u32 = ROWS * THREADS_Y + 2;
override WEIGHT_LINE: u32 = QUADS * THREADS_X + 2;
override THREADS: u32 = THREADS_X * THREADS_Y;
override ROW_LOADS: u32 = (4 * ROWS + THREADS_X - 1) / THREADS_X;
override WEIGHT_LOADS: u32 = (16 * QUADS + THREADS_Y - 1) / THREADS_Y;

// [quad of the step][row] and [element of the step][quad of columns].
var<workgroup> rowTile: array<vec4f, 4 * ROW_LINE>;
var<workgroup> weightTile: array<vec4f, 16 * WEIGHT_LINE>;

@compute @workgroup_size(THREADS_X, THREADS_Y)
fn product(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) index: u32) {
  let firstRow = group.x * ROWS * THREADS_Y;
  let firstQuad = group.y * QUADS * THREADS_X;
  let split = groups.z / partCount();
  let part = group.z / split;
  for (var i = 0u; i < ROW_LOADS; i++) {
    seekRow(i, firstRow + ((index + i * THREADS) >> 2), part);
  }
  for (var i = 0u; i < WEIGHT_LOADS; i++) {
    let l = index + i * THREADS;
    seekWeights(i, firstQuad + (l >> 5) * 2 + (l & 1), part);
  }
  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  var s4 = vec4f();
  var s5 = vec4f();
  var s6 = vec4f();
  var s7 = vec4f();
  var t0 = vec4f();
  var t1 = vec4f();
  var t2 = vec4f();
  var t3 = vec4f();
  var t4 = vec4f();
  var t5 = vec4f();
  var t6 = vec4f();
  var t7 = vec4f();
  let share = (stepCount() + split - 1) / split;
  let first = group.z % split * share;
  let end = min(first + share, stepCount());
  begin(first);
  for (var step = first; step < end; step++) {
    for (var i = 0u; i < ROW_LOADS; i++) {
      let l = index + i * THREADS;
      rowTile[(l & 3) * ROW_LINE + (l >> 2)] = rowQuad(i, step, l & 3);
    }
    for (var i = 0u; i < WEIGHT_LOADS; i++) {
      let l = index + i * THREADS;
      if (16 * QUADS % THREADS_Y == 0 || l < 16 * QUADS * THREADS_X) {
        let k = (l >> 1) & 15;
        weightTile[k * WEIGHT_LINE + (l >> 5) * 2 + (l & 1)] = weightQuad(i, step, k);
      }
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
      s0 = summed(s0, a0, b0, b1, b2, b3);
      s1 = summed(s1, a1, b0, b1, b2, b3);
      s2 = summed(s2, a2, b0, b1, b2, b3);
      s3 = summed(s3, a3, b0, b1, b2, b3);
      if (QUADS == 2) {
        let other = line + THREADS_X;
        let c0 = weightTile[other];
        let c1 = weightTile[other + WEIGHT_LINE];
        let c2 = weightTile[other + 2 * WEIGHT_LINE];
        let c3 = weightTile[other + 3 * WEIGHT_LINE];
        t0 = summed(t0, a0, c0, c1, c2, c3);
        t1 = summed(t1, a1, c0, c1, c2, c3);
        t2 = summed(t2, a2, c0, c1, c2, c3);
        t3 = summed(t3, a3, c0, c1, c2, c3);
        if (ROWS == 8) {
          t4 = summed(t4, rowTile[at + 4 * THREADS_Y], c0, c1, c2, c3);
          t5 = summed(t5, rowTile[at + 5 * THREADS_Y], c0, c1, c2, c3);
          t6 = summed(t6, rowTile[at + 6 * THREADS_Y], c0, c1, c2, c3);
          t7 = summed(t7, rowTile[at + 7 * THREADS_Y], c0, c1, c2, c3);
        }
      }
      if (ROWS == 8) {
        s4 = summed(s4, rowTile[at + 4 * THREADS_Y], b0, b1, b2, b3);
        s5 = summed(s5, rowTile[at + 5 * THREADS_Y], b0, b1, b2, b3);
        s6 = summed(s6, rowTile[at + 6 * THREADS_Y], b0, b1, b2, b3);
        s7 = summed(s7, rowTile[at + 7 * THREADS_Y], b0, b1, b2, b3);
      }
    }
    workgroupBarrier();
  }
  // One text for what becomes of all of them, since it is longer than the sums.
  let sums = array(s0, s1, s2, s3, s4, s5, s6, s7, t0, t1, t2, t3, t4, t5, t6, t7);
  for (var c = 0u; c < QUADS; c++) {
    let quad = firstQuad + local.x + c * THREADS_X;
    if (seekQuad(quad, part)) {
      for (var r = 0u; r < ROWS; r++) {
        let row = firstRow + local.y + r * THREADS_Y;
        let sum = sums[c * 8 + r];
        if (row >= rowCount()) {
          break;
        }
        if (split == 1) {
          writeRow(row, quad * 4, part, sum);
        } else {
          storeExact(p.scratchAt, shareAt(row, quad, group.z), sum);
        }
      }
    }
  }
}

// Whether there are such columns; then what they need besides their sums is at hand.
fn seekQuad(quad: u32, part: u32) -> bool {
  if (quad * 4 >= columnCount()) {
    return false;
  }
  seekColumns(quad * 4, part);
  return true;
}

fn shareAt(row: u32, quad: u32, slice: u32) -> u32 {
  return ((slice * rowCount() + row) * ((columnCount() + 3) / 4) + quad) * 4;
}

// In halves as two, of which the second is what the first has lost, and a sixteenth, so that no share need fit their range.
fn storeExact(start: u32, at: u32, v: vec4f) {
  if (BYTES == 4) {
    store4(start + at, v);
    return;
  }
  let high = vec4f(narrow(v / 16));
  store4(start + 2 * at, high);
  store4(start + 2 * at + 4, v / 16 - high);
}

fn loadExact(start: u32, at: u32) -> vec4f {
  if (BYTES == 4) {
    return load4(start + at);
  }
  return 16 * (load4(start + 2 * at) + load4(start + 2 * at + 4));
}

// Rows of an invocation, which reads what their columns need once for all.
const JOINED: u32 = 4;

// An invocation for each quad of so many rows; as many workgroups in the second dimension as shares, and parts in the third.
@compute @workgroup_size(64)
fn joinSums(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local);
  let split = groups.y;
  let quads = (columnCount() + 3) / 4;
  let first = i / quads * JOINED;
  if (first >= rowCount()) {
    return;
  }
  seekColumns((i % quads) * 4, group.z);
  for (var row = first; row < min(first + JOINED, rowCount()); row++) {
    var sum = vec4f();
    for (var slice = 0u; slice < split; slice++) {
      sum += loadExact(p.scratchAt, shareAt(row, i % quads, group.z * split + slice));
    }
    writeRow(row, (i % quads) * 4, group.z, sum);
  }
}

// The same for a program on the CPU that imitates a GPU: an invocation makes four rows of a panel of eight columns. Weights are the same for all of a workgroup, so that such a program loads them once for all lanes of
// its vectors, and nothing passes through workgroup memory, which it reads a lane at a time.
@compute @workgroup_size(16)
fn laneProduct(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = group.x * 64 + local;
  let quad = group.y * 2;
  let part = group.z;
  for (var i = 0u; i < 4; i++) {
    seekRow(i, row + i * 16, part);
  }
  seekWeights(0, quad, part);
  seekWeights(1, quad + 1, part);
  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  var t0 = vec4f();
  var t1 = vec4f();
  var t2 = vec4f();
  var t3 = vec4f();
  begin(0);
  for (var step = 0u; step < stepCount(); step++) {
    for (var q = 0u; q < 4; q++) {
      let a0 = rowQuad(0, step, q);
      let a1 = rowQuad(1, step, q);
      let a2 = rowQuad(2, step, q);
      let a3 = rowQuad(3, step, q);
      let b0 = weightQuad(0, step, q * 4);
      let b1 = weightQuad(0, step, q * 4 + 1);
      let b2 = weightQuad(0, step, q * 4 + 2);
      let b3 = weightQuad(0, step, q * 4 + 3);
      s0 = summed(s0, a0, b0, b1, b2, b3);
      s1 = summed(s1, a1, b0, b1, b2, b3);
      s2 = summed(s2, a2, b0, b1, b2, b3);
      s3 = summed(s3, a3, b0, b1, b2, b3);
      let c0 = weightQuad(1, step, q * 4);
      let c1 = weightQuad(1, step, q * 4 + 1);
      let c2 = weightQuad(1, step, q * 4 + 2);
      let c3 = weightQuad(1, step, q * 4 + 3);
      t0 = summed(t0, a0, c0, c1, c2, c3);
      t1 = summed(t1, a1, c0, c1, c2, c3);
      t2 = summed(t2, a2, c0, c1, c2, c3);
      t3 = summed(t3, a3, c0, c1, c2, c3);
    }
    advance();
  }
  writeLane(row, quad, part, array(s0, s1, s2, s3));
  writeLane(row, quad + 1, part, array(t0, t1, t2, t3));
}

fn writeLane(first: u32, quad: u32, part: u32, sums: array<vec4f, 4>) {
  if (quad * 4 >= columnCount()) {
    return;
  }
  seekColumns(quad * 4, part);
  for (var i = 0u; i < 4; i++) {
    let row = first + i * 16;
    if (row < rowCount()) {
      writeRow(row, quad * 4, part, sums[i]);
    }
  }
}
