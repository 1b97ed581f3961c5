// Dense convolution as an implicit product: the hooks of product.wgsl. A step takes 16 channels of one kernel position,
// or, where a position has few channels or runs are filled up together (LINEAR), the next 16 pairs of position and channel.
override LINEAR: bool = false;

// Of each row that this invocation loads: its image and group in the input, and its window's first position.
var<private> start: array<u32, 8>;
var<private> window: array<vec3i, 8>;
// Where the weights that it loads begin in the panels' first row; columns behind the last read those of the last panel.
var<private> weightStart: array<u32, 8>;
// The kernel position and the first channel of the step.
var<private> position: vec3u;
var<private> tap: u32;
var<private> channel: u32;

fn rowCount() -> u32 {
  return p.batch * p.outD * p.outH * p.outW;
}

fn columnCount() -> u32 {
  return p.filters;
}

fn partCount() -> u32 {
  return p.groups;
}

fn stepCount() -> u32 {
  if (LINEAR) {
    return (panelRows() + 15) / 16;
  }
  return p.kernelD * p.kernelH * p.kernelW * ((p.channels + 15) / 16);
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

fn seekWeights(i: u32, quad: u32, part: u32) {
  let panel = part * panelCount() + min(quad >> 1, panelCount() - 1);
  weightStart[i] = p.wAt + panel * panelRows() * 8 + (quad & 1) * 4;
}

fn begin(step: u32) {
  if (!LINEAR) {
    let steps = (p.channels + 15) / 16;
    tap = step / steps;
    channel = (step % steps) * 16;
    let line = tap / p.kernelW;
    position = vec3u(line / p.kernelH, line % p.kernelH, tap % p.kernelW);
  }
}

fn advance() {
  if (LINEAR) {
    return;
  }
  channel += 16;
  if (channel < p.channels) {
    return;
  }
  channel = 0;
  tap++;
  position.z++;
  if (position.z == p.kernelW) {
    position.z = 0;
    position.y++;
    if (position.y == p.kernelH) {
      position.y = 0;
      position.x++;
    }
  }
}

// Where the input of kernel position `k` lies for loaded row `i`; behind every address where it lies outside.
const OUTSIDE: u32 = 0xffffffff;

fn inputAt(i: u32, k: vec3u) -> u32 {
  // What is negative is very large without its sign.
  let at = vec3u(window[i]) + k * vec3u(p.dilationD, p.dilationH, p.dilationW);
  let inside = all(at < vec3u(p.inD, p.inH, p.inW));
  return select(OUTSIDE, start[i] + at.x * p.xD + at.y * p.xH + at.z * p.xW, inside);
}

// Without branches: laneProduct repeats this, and a compiler may take every path through them.
fn rowQuad(i: u32, step: u32, quad: u32) -> vec4f {
  if (LINEAR) {
    let k = step * 16 + quad * 4;
    return vec4f(linearElement(i, k), linearElement(i, k + 1), linearElement(i, k + 2), linearElement(i, k + 3));
  }
  let c = channel + quad * 4;
  let pixel = inputAt(i, position);
  let there = (pixel != OUTSIDE) & (c < p.channels);
  let x = load4(select(0, pixel + c, there));
  if (WHOLE_QUADS) {
    return select(vec4f(), x, there);
  }
  return select(vec4f(), x, vec4<bool>(there) & (vec4u(c) + vec4u(0, 1, 2, 3) < vec4u(p.channels)));
}

fn linearElement(i: u32, k: u32) -> f32 {
  let at = k / p.channels;
  let line = at / p.kernelW;
  let plane = line / p.kernelH;
  let pixel = inputAt(i, vec3u(plane, line % p.kernelH, at % p.kernelW));
  let there = (plane < p.kernelD) & (pixel != OUTSIDE);
  return select(0f, load(select(0u, pixel + k % p.channels, there)), there);
}

fn weightQuad(i: u32, step: u32, k: u32) -> vec4f {
  let row = select(channel, step * 16, LINEAR) + k;
  let there = row < select(p.channels, panelRows(), LINEAR);
  let first = select(tap * p.channels, 0, LINEAR);
  return select(vec4f(), weight4(weightStart[i] + select(0, first + row, there) * 8), there);
}

fn seekColumns(column: u32, part: u32) {
  seekChannels(column, part);
}

fn writeRow(row: u32, column: u32, part: u32, sum: vec4f) {
  writePixel(pixelOf(row), column, part, sum);
}
