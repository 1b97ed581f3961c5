// Convolution of bytes as an implicit product: the hooks of product8.wgsl. Words fill up the channels of a kernel position,
// or with `runs` those of a row of positions.
// Around it a module defines the block `p`, zeroPoint and writeRow.

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
    return vec4f(f32(zeroPoint()));
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
