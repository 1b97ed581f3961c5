// Gradients of a convolution's weights: a workgroup for a kernel position and up to four channels and four filters, whose
// invocations each sum every 64th output pixel. The `y` steps are those of the output's gradient; the result is dense, as
// [kernel position, channel of a group, filter], or of one filter a channel as [kernel position, channel].
struct ConvGradient {
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
  rN: u32,
  rD: u32,
  rH: u32,
  rW: u32,
  residual: u32,
  act: u32,
  alpha: f32,
  beta: f32,
  tiles: u32,
  xAt: u32,
  dyAt: u32,
  yAt: u32,
}

@group(0) @binding(2) var<uniform> p: ConvGradient;

struct Places {
  x: u32,
  dy: u32,
  inside: bool,
}

// Where the input of kernel position `tap` and the gradient of output pixel `i` begin.
fn placesAt(i: u32, tap: vec3u) -> Places {
  let w = i % p.outW;
  let line = i / p.outW;
  let h = line % p.outH;
  let plane = line / p.outH;
  let d = plane % p.outD;
  let n = plane / p.outD;
  let at = vec3u(d, h, w) * vec3u(p.strideD, p.strideH, p.strideW) + tap * vec3u(p.dilationD, p.dilationH, p.dilationW)
    - vec3u(p.padD, p.padH, p.padW);
  return Places(
    p.xAt + n * p.xN + at.x * p.xD + at.y * p.xH + at.z * p.xW,
    p.dyAt + n * p.yN + d * p.yD + h * p.yH + w * p.yW,
    all(at < vec3u(p.inD, p.inH, p.inW))
  );
}

fn tapOf(i: u32) -> vec3u {
  let line = i / p.kernelW;
  return vec3u(line / p.kernelH, line % p.kernelH, i % p.kernelW);
}

@compute @workgroup_size(64)
fn convGradient(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let filterQuads = (p.filters + 3) / 4;
  let channelQuads = (p.channels + 3) / 4;
  let at = groupIndex(group, groups);
  let f = at % filterQuads * 4;
  var rest = at / filterQuads;
  let part = rest % p.groups;
  rest /= p.groups;
  let c = rest % channelQuads * 4;
  let tap = rest / channelQuads;
  let position = tapOf(tap);
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  let pixels = p.batch * p.outD * p.outH * p.outW;
  for (var i = local; i < pixels; i += 64) {
    let places = placesAt(i, position);
    if (places.inside) {
      // What lies behind the last channel and the last filter is summed, and left out below.
      let x = load4(places.x + part * p.channels + c);
      let dy = load4(places.dy + part * p.filters + f);
      sum0 += x.x * dy;
      sum1 += x.y * dy;
      sum2 += x.z * dy;
      sum3 += x.w * dy;
    }
  }
  sum0 = joinedByAll(SUM, sum0, local);
  sum1 = joinedByAll(SUM, sum1, local);
  sum2 = joinedByAll(SUM, sum2, local);
  sum3 = joinedByAll(SUM, sum3, local);
  if (local >= min(p.channels - c, 4) || tap >= p.kernelD * p.kernelH * p.kernelW) {
    return;
  }
  let sums = array<vec4f, 4>(sum0, sum1, sum2, sum3);
  let yAt = p.yAt + (tap * p.channels + c + local) * p.groups * p.filters + part * p.filters + f;
  storeSome(yAt, sums[local], min(p.filters - f, 4));
}

@compute @workgroup_size(64)
fn depthwiseGradient(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let quads = (p.groups + 3) / 4;
  let at = groupIndex(group, groups);
  let c = at % quads * 4;
  let tap = at / quads;
  let position = tapOf(tap);
  var sum = vec4f();
  let pixels = p.batch * p.outD * p.outH * p.outW;
  for (var i = local; i < pixels; i += 64) {
    let places = placesAt(i, position);
    if (places.inside) {
      sum += load4(places.x + c) * load4(places.dy + c);
    }
  }
  sum = joinedByAll(SUM, sum, local);
  if (local == 0 && tap < p.kernelH * p.kernelW) {
    storeSome(p.yAt + tap * p.groups + c, sum, min(p.groups - c, 4));
  }
}
