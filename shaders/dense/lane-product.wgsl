// Dense products for a program on the CPU that imitates a GPU, with the hooks of product.wgsl: an invocation makes four rows of
// a panel of eight columns. Weights are the same for all of a workgroup, so that such a program loads them once for all lanes of
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
