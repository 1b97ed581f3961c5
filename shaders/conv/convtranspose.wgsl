// Transposed convolutions: an invocation makes four filters of one output pixel.
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
  if (WHOLE_QUADS) {
    for (var c = 0u; c < p.channels; c += 4) {
      sum = summed(sum, load4(line + c), weight4(w), weight4(w + 8), weight4(w + 16), weight4(w + 24));
      w += 32;
    }
    return sum;
  }
  for (var c = 0u; c < p.channels; c++) {
    sum = fma(vec4f(load(line + c)), weight4(w), sum);
    w += 8;
  }
  return sum;
}

// Of one axis, the input position that lands on an output at kernel position `k` by its stride; behind every size where there is none.
const NONE: u32 = 0xffffffff;

fn met(at: u32, k: u32, stride: u32, pad: u32) -> u32 {
  let landing = at + pad - k;
  return select(NONE, landing / stride, landing < NONE / 2 && landing % stride == 0);
}

@compute @workgroup_size(64)
fn convTranspose(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let place = placeOf(listIndex(group, groups, local));
  if (!place.inside) {
    return;
  }
  let start = p.xAt + place.at.n * p.xN + place.part * p.channels;
  var sum = vec4f();
  var tap = 0u;
  for (var kd = 0u; kd < p.kernelD; kd++) {
    let d = met(place.at.d, kd * p.dilationD, p.strideD, p.padD);
    for (var kh = 0u; kh < p.kernelH; kh++) {
      let h = met(place.at.h, kh * p.dilationH, p.strideH, p.padH);
      for (var kw = 0u; kw < p.kernelW; kw++) {
        let w = met(place.at.w, kw * p.dilationW, p.strideW, p.padW);
        if (d < p.inD && h < p.inH && w < p.inW) {
          sum += dotAt(start + d * p.xD + h * p.xH + w * p.xW, tap, place);
        }
        tap++;
      }
    }
  }
  seekChannels(place.column, place.part);
  writePixel(place.at, place.column, place.part, sum);
}
