// Convolution of bytes as an implicit product: the hooks of product8.wgsl. Words fill up the channels of a kernel position,
// or with `runs` those of a row of positions.
struct Conv8 {
  batch: u32,
  groups: u32,
  channels: u32,
  filters: u32,
  inD: u32,
  inH: u32,
  inW: u32,
  outD: u32,
  outH: u32,
  outW: u32,
  kernelD: u32,
  kernelH: u32,
  kernelW: u32,
  strideD: u32,
  strideH: u32,
  strideW: u32,
  padD: u32,
  padH: u32,
  padW: u32,
  dilationD: u32,
  dilationH: u32,
  dilationW: u32,
  xN: u32,
  xD: u32,
  xH: u32,
  xW: u32,
  yN: u32,
  yD: u32,
  yH: u32,
  yW: u32,
  runs: u32,
  xZero: u32,
  yZero: u32,
  low: u32,
  high: u32,
  rows: u32,
  strip: u32,
  xAt: u32,
  wAt: u32,
  sumsAt: u32,
  scaleAt: u32,
  biasAt: u32,
  yAt: u32,
  scratchAt: u32,
}

@group(0) @binding(2) var<uniform> p: Conv8;

// Of each row that this invocation loads: its image and group in the input, and its window's first position.
var<private> start: array<u32, 8>;
var<private> window: array<vec3i, 8>;
// Kernel positions before the word's run, and the first of its elements there.
var<private> before: u32;
var<private> element: u32;

fn rowCount() -> u32 {
  return p.batch * p.outD * p.outH * p.outW;
}

fn columnCount() -> u32 {
  return p.filters;
}

fn runLength() -> u32 {
  return select(1, p.kernelW, p.runs == 1);
}

fn runWords() -> u32 {
  return (p.channels * runLength() + 3) / 4;
}

fn wordCount() -> u32 {
  return p.kernelD * p.kernelH * (p.kernelW / runLength()) * runWords();
}

fn panelAt(panel: u32, part: u32) -> u32 {
  return part * panelCount() + min(panel, panelCount() - 1);
}

fn seekRow(i: u32, row: u32, part: u32) {
  let at = pixelOf(min(row, rowCount() - 1));
  start[i] = p.xAt + at.n * p.xN + part * p.channels;
  window[i] = vec3i(
    i32(at.d * p.strideD) - i32(p.padD),
    i32(at.h * p.strideH) - i32(p.padH),
    i32(at.w * p.strideW) - i32(p.padW)
  );
}

fn seekWord(word: u32) {
  before = word / runWords() * runLength();
  element = word % runWords() * 4;
}

// The element `e` of the run and its next ones, or what stands for nothing.
fn elements(i: u32, e: u32) -> vec4f {
  let position = before + e / p.channels;
  let line = position / p.kernelW;
  let tap = vec3u(line / p.kernelH, line % p.kernelH, position % p.kernelW);
  let at = vec3u(window[i]) + tap * vec3u(p.dilationD, p.dilationH, p.dilationW);
  if (tap.x >= p.kernelD || any(at >= vec3u(p.inD, p.inH, p.inW))) {
    return vec4f(f32(p.xZero));
  }
  let from_ = start[i] + at.x * p.xD + at.y * p.xH + at.z * p.xW + e % p.channels;
  if (WHOLE_QUADS) {
    return load4(from_);
  }
  return vec4f(load(from_));
}

fn rowWord(i: u32) -> u32 {
  if (WHOLE_QUADS) {
    return packed(elements(i, element));
  }
  var v = vec4f();
  for (var e = 0u; e < 4; e++) {
    v[e] = elements(i, element + e).x;
  }
  return packed(v);
}

fn writeRow(row: u32, column: u32, part: u32, sum: vec4i) {
  let at = pixelOf(row);
  let yAt = p.yAt + at.n * p.yN + at.d * p.yD + at.h * p.yH + at.w * p.yW + part * p.filters + column;
  requantiseQuad(sum, part * panelCount() * 8 + column, yAt, min(p.filters - column, 4u));
}
