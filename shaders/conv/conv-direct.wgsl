// Convolutions that are no large product: groups of few filters, transposed, one filter a channel. An invocation makes
// four filters of one output pixel.
struct Place {
  at: Pixel,
  column: u32,
  part: u32,
  inside: bool,
}

// Quads of filters innermost, then groups, then pixels.
fn placeOf(i: u32) -> Place {
  let quads = (p.filters + 3) / 4;
  let pixel = i / (quads * p.groups);
  return Place(pixelOf(pixel), (i % quads) * 4, (i / quads) % p.groups, pixel < p.batch * p.outD * p.outH * p.outW);
}

// Products of the input pixel at `line` with kernel position `tap`.
fn dotAt(line: u32, tap: u32, place: Place) -> vec4f {
  let panel = place.part * panelCount() + (place.column >> 3);
  var w = p.wAt + (panel * panelRows() + tap * p.channels) * 8 + (place.column & 4);
  var sum = vec4f();
  for (var c = 0u; c < p.channels; c++) {
    sum = fma(vec4f(load(line + c)), weight4(w), sum);
    w += 8;
  }
  return sum;
}

// Of one axis, the input position that an output meets at kernel position `k`; behind every size where there is none. What is
// before the beginning wraps around to a large number. A transposed convolution reads the inputs whose stride lands on it.
const NONE: u32 = 0xffffffff;

fn met(transposed: bool, at: u32, k: u32, stride: u32, pad: u32) -> u32 {
  if (!transposed) {
    return at * stride + k - pad;
  }
  let landing = at + pad - k;
  return select(NONE, landing / stride, landing < NONE / 2 && landing % stride == 0);
}

fn direct(place: Place, transposed: bool) {
  if (!place.inside) {
    return;
  }
  let start = p.xAt + place.at.n * p.xN + place.part * p.channels;
  var sum = vec4f();
  var tap = 0u;
  for (var kd = 0u; kd < p.kernelD; kd++) {
    let d = met(transposed, place.at.d, kd * p.dilationD, p.strideD, p.padD);
    for (var kh = 0u; kh < p.kernelH; kh++) {
      let h = met(transposed, place.at.h, kh * p.dilationH, p.strideH, p.padH);
      for (var kw = 0u; kw < p.kernelW; kw++) {
        let w = met(transposed, place.at.w, kw * p.dilationW, p.strideW, p.padW);
        if (d < p.inD && h < p.inH && w < p.inW) {
          sum += dotAt(start + d * p.xD + h * p.xH + w * p.xW, tap, place);
        }
        tap++;
      }
    }
  }
  writePixel(place.at, place.column, place.part, sum);
}

@compute @workgroup_size(64)
fn grouped(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  direct(placeOf(listIndex(group, groups, local)), false);
}

@compute @workgroup_size(64)
fn convTranspose(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  direct(placeOf(listIndex(group, groups, local)), true);
}

// Four channels of four neighbouring output columns, so that each weight is read once for four pixels.
@compute @workgroup_size(64)
fn depthwise(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local);
  let quads = (p.groups + 3) / 4;
  let blocks = (p.outW + 3) / 4;
  let c = (i % quads) * 4;
  let block = i / quads;
  let line = block / blocks;
  let n = line / p.outH;
  let h = line % p.outH;
  let first = (block % blocks) * 4;
  if (n >= p.batch) {
    return;
  }
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  var w = p.wAt + c;
  for (var kh = 0u; kh < p.kernelH; kh++) {
    let inH = h * p.strideH + kh * p.dilationH - p.padH;
    if (inH >= p.inH) {
      w += p.kernelW * p.groups;
      continue;
    }
    let line = p.xAt + n * p.xN + inH * p.xH + c;
    for (var kw = 0u; kw < p.kernelW; kw++) {
      let factor = channelWeights(w);
      let column = first * p.strideW + kw * p.dilationW - p.padW;
      sum0 = fma(columnAt(line, column), factor, sum0);
      sum1 = fma(columnAt(line, column + p.strideW), factor, sum1);
      sum2 = fma(columnAt(line, column + 2 * p.strideW), factor, sum2);
      sum3 = fma(columnAt(line, column + 3 * p.strideW), factor, sum3);
      w += p.groups;
    }
  }
  writeChannels(Pixel(n, 0, h, first), c, sum0);
  writeChannels(Pixel(n, 0, h, first + 1), c, sum1);
  writeChannels(Pixel(n, 0, h, first + 2), c, sum2);
  writeChannels(Pixel(n, 0, h, first + 3), c, sum3);
}

fn columnAt(line: u32, column: u32) -> vec4f {
  if (column >= p.inW) {
    return vec4f();
  }
  return load4(line + column * p.xW);
}

fn channelWeights(at: u32) -> vec4f {
  if ((p.groups & 3) == 0) {
    return weight4(at);
  }
  return vec4f(weight(at), weight(at + 1), weight(at + 2), weight(at + 3));
}

fn writeChannels(at: Pixel, c: u32, sum: vec4f) {
  if (at.w >= p.outW) {
    return;
  }
  let rAt = p.rAt + at.n * p.rN + at.h * p.rH + at.w * p.rW + c;
  let yAt = p.yAt + at.n * p.yN + at.h * p.yH + at.w * p.yW + c;
  finishQuad(sum, c, rAt, yAt, min(p.groups - c, 4u));
}
