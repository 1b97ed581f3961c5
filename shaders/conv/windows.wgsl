// Convolutions of a filter a channel. An invocation makes four channels of four columns and ROWS rows of the output; along a line of
// the input its window slides by a stride, so that each element is loaded once for all of them. A workgroup has QUADS quads of
// channels side by side, and keeps their KEPT rows of weights, if there are not too many.
override ROWS: u32 = 1;
override QUADS: u32 = 8;
override KEPT: u32 = 0;

override KEPT_LOADS: u32 = (KEPT * QUADS + 63) / 64;

var<workgroup> kept: array<vec4f, KEPT * QUADS + 1>;

// The invocation's channels among the workgroup's, and among all.
var<private> lane: u32;
var<private> quad: u32;

// Row `row` of the weights of four channels.
fn factorsOf(quad: u32, row: u32) -> vec4f {
  let at = p.wAt + row * p.groups + quad * 4;
  if ((p.groups & 3) == 0) {
    return weight4(at);
  }
  return vec4f(weight(at), weight(at + 1), weight(at + 2), weight(at + 3));
}

fn factors(row: u32) -> vec4f {
  if (KEPT == 0) {
    return factorsOf(quad, row);
  }
  return kept[row * QUADS + lane];
}

// The kernel row that meets input row `j` of a window; kernelH or more if there is none.
fn kernelRow(j: u32) -> u32 {
  let k = j / p.dilationH;
  return select(p.kernelH, k, k * p.dilationH == j);
}

fn columnAt(line: u32, column: u32) -> vec4f {
  if (column >= p.inW) {
    return vec4f();
  }
  return load4(line + column * p.xW);
}

// Sums of four neighbouring columns.
struct Line {
  a: vec4f,
  b: vec4f,
  c: vec4f,
  d: vec4f,
}

// Those with the products of four columns and the kernel at row `row` of the weights.
fn withProducts(sums: Line, v: Line, row: u32) -> Line {
  let f = factors(row);
  return Line(fma(v.a, f, sums.a), fma(v.b, f, sums.b), fma(v.c, f, sums.c), fma(v.d, f, sums.d));
}

fn writeLine(at: Pixel, sums: Line) {
  if (at.h >= p.outH) {
    return;
  }
  writeQuad(at, sums.a);
  writeQuad(Pixel(at.n, at.d, at.h, at.w + 1), sums.b);
  writeQuad(Pixel(at.n, at.d, at.h, at.w + 2), sums.c);
  writeQuad(Pixel(at.n, at.d, at.h, at.w + 3), sums.d);
}

fn writeQuad(at: Pixel, sum: vec4f) {
  if (at.w >= p.outW) {
    return;
  }
  let c = quad * 4;
  let rAt = p.rAt + at.n * p.rN + at.d * p.rD + at.h * p.rH + at.w * p.rW + c;
  let yAt = p.yAt + at.n * p.yN + at.d * p.yD + at.h * p.yH + at.w * p.yW + c;
  finishQuad(sum, rAt, yAt, min(p.groups - c, 4u));
}

@compute @workgroup_size(64)
fn windows(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = groupIndex(group, groups);
  let quads = (p.groups + 3) / 4;
  let across = (quads + QUADS - 1) / QUADS;
  let firstQuad = index % across * QUADS;
  for (var i = 0u; i < KEPT_LOADS; i++) {
    let l = local + i * 64;
    if (l < KEPT * QUADS) {
      kept[l] = factorsOf(min(firstQuad + l % QUADS, quads - 1), l / QUADS);
    }
  }
  workgroupBarrier();
  lane = local % QUADS;
  quad = firstQuad + lane;
  let block = index / across * (64 / QUADS) + local / QUADS;
  let blocks = (p.outW + 3) / 4;
  let line = block / blocks;
  let lines = (p.outH + ROWS - 1) / ROWS;
  let plane = line / lines;
  let at = Pixel(plane / p.outD, plane % p.outD, line % lines * ROWS, block % blocks * 4);
  if (quad >= quads || at.n >= p.batch) {
    return;
  }
  let start = p.xAt + at.n * p.xN + quad * 4;
  var upper = Line();
  var lower = Line();
  let span = (p.kernelH - 1) * p.dilationH + (ROWS - 1) * p.strideH + 1;
  // With gaps between a window's columns no two of its positions share elements.
  let shift = select(p.kernelW, p.strideW, p.dilationW == 1);
  for (var kd = 0u; kd < p.kernelD; kd++) {
    let d = at.d * p.strideD + kd * p.dilationD - p.padD;
    if (d >= p.inD) {
      continue;
    }
    for (var j = 0u; j < span; j++) {
      let h = at.h * p.strideH + j - p.padH;
      let first = kernelRow(j);
      // Before the second row's window this wraps around to a large number.
      let second = kernelRow(j - p.strideH);
      if (h >= p.inH || (first >= p.kernelH && (ROWS == 1 || second >= p.kernelH))) {
        continue;
      }
      let from_ = start + d * p.xD + h * p.xH;
      for (var phase = 0u; phase < min(shift, p.kernelW); phase++) {
        var w = at.w * p.strideW + phase * p.dilationW - p.padW;
        var v = Line(
          columnAt(from_, w),
          columnAt(from_, w + p.strideW),
          columnAt(from_, w + 2 * p.strideW),
          columnAt(from_, w + 3 * p.strideW)
        );
        for (var kw = phase; kw < p.kernelW; kw += shift) {
          if (first < p.kernelH) {
            upper = withProducts(upper, v, (kd * p.kernelH + first) * p.kernelW + kw);
          }
          if (ROWS == 2 && second < p.kernelH) {
            lower = withProducts(lower, v, (kd * p.kernelH + second) * p.kernelW + kw);
          }
          if (kw + shift < p.kernelW) {
            w += p.strideW;
            v = Line(v.b, v.c, v.d, columnAt(from_, w + 3 * p.strideW));
          }
        }
      }
    }
  }
  seekOperands(quad * 4);
  writeLine(at, upper);
  if (ROWS == 2) {
    writeLine(Pixel(at.n, at.d, at.h + 1, at.w), lower);
  }
}
