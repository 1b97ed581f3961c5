// Convolutions of few filters a group, or of few channels. A workgroup makes TALL by WIDE pixels of SIDE groups, or of some
// filters of one (QUADS quads in all). The patch of the input that these see comes into workgroup memory, CHUNK quads of each
// group's channels at a time, so that an element is loaded once for all kernel positions and filters; and the weights of LINES
// rows of the kernel. An invocation makes ROWS pixels of four filters. Patches have an odd number of pixels from one quad of
// channels to the next, so that neighbours read from different banks.
override TALL: u32 = 8;
override WIDE: u32 = 8;
override ROWS: u32 = 8;
override QUADS: u32 = 8;
override SIDE: u32 = 1;
override CHUNK: u32 = 1;
override LINES: u32 = 3;
override KERNEL_W: u32 = 3;
override SPAN_H: u32 = 10;
override SPAN_W: u32 = 10;

override THREADS_Y: u32 = TALL * WIDE / ROWS;
override THREADS: u32 = QUADS * THREADS_Y;
override PIXELS: u32 = (SPAN_H * SPAN_W) | 1;
override PATCH: u32 = SPAN_H * SPAN_W * SIDE * CHUNK;
override FACTORS: u32 = LINES * KERNEL_W * CHUNK * 4 * QUADS;

// [quad of channels][pixel] and [element of the sum][quad of filters].
var<workgroup> patch_: array<vec4f, SIDE * CHUNK * PIXELS>;
var<workgroup> factors: array<vec4f, FACTORS>;

@compute @workgroup_size(QUADS, THREADS_Y)
fn patches(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) index: u32) {
  let quadsOfGroup = (p.filters + 3) / 4;
  let across = (p.outW + WIDE - 1) / WIDE;
  let down = (p.outH + TALL - 1) / TALL;
  let tile = group.z * groups.x + group.x;
  let at = Pixel(tile / (across * down), 0, tile / across % down * TALL, tile % across * WIDE);
  // The first quad of the workgroup, and this invocation's.
  let firstQuad = group.y * QUADS;
  let firstPart = firstQuad / quadsOfGroup;
  let quad = firstQuad + local.x;
  let part = quad / quadsOfGroup;
  let column = quad % quadsOfGroup * 4;
  let top = at.h * p.strideH - p.padH;
  let left = at.w * p.strideW - p.padW;
  let start = p.xAt + at.n * p.xN;
  let own = (part - firstPart) * CHUNK * PIXELS + local.y / WIDE * p.strideH * SPAN_W + local.y % WIDE * p.strideW;
  let apart = THREADS_Y / WIDE * p.strideH * SPAN_W;
  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  var s4 = vec4f();
  var s5 = vec4f();
  var s6 = vec4f();
  var s7 = vec4f();
  for (var first = 0u; first < p.channels; first += CHUNK * 4) {
    for (var l = index; l < PATCH; l += THREADS) {
      let pixel = l / (SIDE * CHUNK);
      let q = l % (SIDE * CHUNK);
      let c = first + q % CHUNK * 4;
      let h = top + pixel / SPAN_W;
      let w = left + pixel % SPAN_W;
      var v = vec4f();
      if (h < p.inH && w < p.inW && c < p.channels && firstPart + q / CHUNK < p.groups) {
        v = load4(start + h * p.xH + w * p.xW + (firstPart + q / CHUNK) * p.channels + c);
        if (!WHOLE_QUADS) {
          v = select(vec4f(), v, vec4u(c) + vec4u(0, 1, 2, 3) < vec4u(p.channels));
        }
      }
      patch_[q * PIXELS + pixel] = v;
    }
    for (var line = 0u; line < p.kernelH; line += LINES) {
      for (var l = index; l < FACTORS; l += THREADS) {
        let k = l / QUADS;
        factors[l] = factorAt(firstQuad + l % QUADS, line * KERNEL_W + k / (CHUNK * 4), first + k % (CHUNK * 4));
      }
      workgroupBarrier();
      // Neither the loads nor these are counted by constants, so that no compiler writes all of them out.
      let taps = min(LINES, p.kernelH - line) * p.kernelW;
      for (var tap = 0u; tap < taps; tap++) {
        let from_ = own + (line + tap / KERNEL_W) * p.dilationH * SPAN_W + tap % KERNEL_W * p.dilationW;
        for (var q = 0u; q < CHUNK; q++) {
          let k = (tap * CHUNK + q) * 4 * QUADS + local.x;
          let b0 = factors[k];
          let b1 = factors[k + QUADS];
          let b2 = factors[k + 2 * QUADS];
          let b3 = factors[k + 3 * QUADS];
          let a = from_ + q * PIXELS;
          s0 = summed(s0, patch_[a], b0, b1, b2, b3);
          s1 = summed(s1, patch_[a + apart], b0, b1, b2, b3);
          if (ROWS > 2) {
            s2 = summed(s2, patch_[a + 2 * apart], b0, b1, b2, b3);
            s3 = summed(s3, patch_[a + 3 * apart], b0, b1, b2, b3);
          }
          if (ROWS > 4) {
            s4 = summed(s4, patch_[a + 4 * apart], b0, b1, b2, b3);
            s5 = summed(s5, patch_[a + 5 * apart], b0, b1, b2, b3);
            s6 = summed(s6, patch_[a + 6 * apart], b0, b1, b2, b3);
            s7 = summed(s7, patch_[a + 7 * apart], b0, b1, b2, b3);
          }
        }
      }
      workgroupBarrier();
    }
  }
  if (part >= p.groups || at.n >= p.batch) {
    return;
  }
  seekChannels(column, part);
  let sums = array(s0, s1, s2, s3, s4, s5, s6, s7);
  for (var r = 0u; r < ROWS; r++) {
    let row = local.y + r * THREADS_Y;
    let h = at.h + row / WIDE;
    let w = at.w + row % WIDE;
    if (h < p.outH && w < p.outW) {
      writePixel(Pixel(at.n, 0, h, w), column, part, sums[r]);
    }
  }
}

// Weights of four filters for a position of the kernel and a channel.
fn factorAt(quad: u32, tap: u32, c: u32) -> vec4f {
  let quadsOfGroup = (p.filters + 3) / 4;
  let part = quad / quadsOfGroup;
  let column = quad % quadsOfGroup * 4;
  if (part >= p.groups || c >= p.channels) {
    return vec4f();
  }
  let panel = part * panelCount() + (column >> 3);
  return weight4(p.wAt + (panel * panelRows() + tap * p.channels + c) * 8 + (column & 4));
}
