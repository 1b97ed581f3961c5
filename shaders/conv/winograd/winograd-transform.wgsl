// The transforms around the products: an invocation for each tile and channel, or tile and filter.
struct Tile {
  index: u32,
  n: u32,
  h: u32,
  w: u32,
}

fn tileOf(index: u32) -> Tile {
  let columns = (p.outW + 3) / 4;
  let rows = (p.outH + 3) / 4;
  let line = index / columns;
  return Tile(index, line / rows, (line % rows) * 4, (index % columns) * 4);
}

// A line of inputs to its points (compiler/ops/conv/winograd.ts): B^T d.
fn toPoints(d: array<f32, 6>) -> array<f32, 6> {
  let even = d[4] - 2 * d[2];
  let odd = sqrt(0.5) * (d[3] - 2 * d[1]);
  let far = d[4] - 0.5 * d[2];
  let near = sqrt(2.0) * (d[3] - 0.5 * d[1]);
  return array(d[0] - 2.5 * d[2] + d[4], even + odd, even - odd, far + near, far - near, d[1] - 2.5 * d[3] + d[5]);
}

// A line of points to its outputs: A^T m.
fn fromPoints(m: array<f32, 6>) -> vec4f {
  let sum1 = m[1] + m[2];
  let sum2 = m[3] + m[4];
  let odd1 = sqrt(0.5) * (m[1] - m[2]);
  let odd2 = sqrt(2.0) * (m[3] - m[4]);
  return vec4f(m[0] + sum1 + sum2, odd1 + odd2, 0.5 * sum1 + 2 * sum2, 0.5 * odd1 + 2 * odd2 + m[5]);
}

// Points are up to 26.2 times as large as the inputs, as each line of B^T adds up to 5.12 of them: so scaled they never leave the
// range of halves that inputs keep to. Powers of two round nothing.
const SCALE: f32 = 1.0 / 32;

@compute @workgroup_size(64)
fn scatterInputs(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local);
  let c = i % p.channels;
  let tile = tileOf(i / p.channels);
  if (tile.n >= p.batch) {
    return;
  }
  // Arrays inside loops are set to zeros explicitly: not every compiler does so by itself from one turn to the next.
  var columns: array<array<f32, 6>, 6>;
  for (var x = 0u; x < 6; x++) {
    var line = array<f32, 6>();
    for (var y = 0u; y < 6; y++) {
      let h = tile.h + y - p.padH;
      let w = tile.w + x - p.padW;
      // What is before the beginning has wrapped around to a large number.
      if (h < p.inH && w < p.inW) {
        line[y] = load(p.xAt + tile.n * p.xN + h * p.xH + w * p.xW + c);
      }
    }
    columns[x] = toPoints(line);
  }
  for (var y = 0u; y < 6; y++) {
    let line = toPoints(array(columns[0][y], columns[1][y], columns[2][y], columns[3][y], columns[4][y], columns[5][y]));
    for (var x = 0u; x < 6; x++) {
      store(inputAt(y * 6 + x, tile.index) + c, line[x] * SCALE);
    }
  }
}

@compute @workgroup_size(64)
fn gatherOutputs(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local);
  let f = i % p.filters;
  let tile = tileOf(i / p.filters);
  if (tile.n >= p.batch) {
    return;
  }
  var columns: array<vec4f, 6>;
  for (var x = 0u; x < 6; x++) {
    var line = array<f32, 6>();
    for (var y = 0u; y < 6; y++) {
      line[y] = load(productAt(y * 6 + x, tile.index) + f);
    }
    columns[x] = fromPoints(line);
  }
  let bias = fetch(p.biasAt + f);
  var alpha = p.alpha;
  if (p.act == PRELU) {
    alpha = fetch(p.slopeAt + f);
  }
  for (var y = 0u; y < 4; y++) {
    let h = tile.h + y;
    if (h >= p.outH) {
      return;
    }
    let line = fromPoints(array(columns[0][y], columns[1][y], columns[2][y], columns[3][y], columns[4][y], columns[5][y]));
    var r = vec4f();
    for (var x = 0u; x < 4; x++) {
      if (p.residual != 0 && tile.w + x < p.outW) {
        r[x] = load(p.rAt + tile.n * p.rN + h * p.rH + (tile.w + x) * p.rW + f);
      }
    }
    let v = finished(line / SCALE + bias, p.residual, r, p.act, vec4f(alpha), p.beta);
    for (var x = 0u; x < 4; x++) {
      if (tile.w + x < p.outW) {
        store(p.yAt + tile.n * p.yN + h * p.yH + (tile.w + x) * p.yW + f, v[x]);
      }
    }
  }
}
