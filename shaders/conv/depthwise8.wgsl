// One filter a channel, of bytes: four channels of an output pixel.
struct Depthwise8 {
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
  scaleAt: u32,
  biasAt: u32,
  yAt: u32,
  scratchAt: u32,
}

@group(0) @binding(2) var<uniform> p: Depthwise8;

// Weights of four channels, the first being `i`th.
fn weightsFrom(i: u32) -> vec4f {
  if (WHOLE_QUADS) {
    return vec4f(unpacked(weights[i >> 4][(i >> 2) & 3]));
  }
  var v = vec4f();
  for (var c = 0u; c < 4; c++) {
    let at = i + c;
    v[c] = f32(unpacked(weights[at >> 4][(at >> 2) & 3])[at & 3]);
  }
  return v;
}

@compute @workgroup_size(64)
fn depthwise8(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local);
  let quads = (p.groups + 3) / 4;
  let c = (i % quads) * 4;
  let at = pixelOf(i / quads);
  if (at.n >= p.batch) {
    return;
  }
  var sum = vec4i();
  for (var kh = 0u; kh < p.kernelH; kh++) {
    let h = at.h * p.strideH + kh * p.dilationH - p.padH;
    for (var kw = 0u; kw < p.kernelW; kw++) {
      let w = at.w * p.strideW + kw * p.dilationW - p.padW;
      if (h < p.inH && w < p.inW) {
        let v = load4(p.xAt + at.n * p.xN + h * p.xH + w * p.xW + c) - f32(p.xZero);
        sum += vec4i(v * weightsFrom(p.wAt + (kh * p.kernelW + kw) * p.groups + c));
      }
    }
  }
  requantiseQuad(sum, c, p.yAt + at.n * p.yN + at.h * p.yH + at.w * p.yW + c, min(p.groups - c, 4u));
}
