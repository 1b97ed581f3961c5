// Regions of images, each cut into m0 × m1 bins of which samples between pixels are averaged, or the largest of their
// weighted pixels taken. n are the sizes of the images.
struct RoiAlign {
  mode: u32,
  half: u32,
  ratio: u32,
  scale: f32,
  images: u32,
  regions: u32,
  channels: u32,
  n0: u32,
  n1: u32,
  m0: u32,
  m1: u32,
  x0: u32,
  x1: u32,
  x2: u32,
  r0: u32,
  r1: u32,
  i0: u32,
  y0: u32,
  y1: u32,
  y2: u32,
  xAt: u32,
  roisAt: u32,
  imagesAt: u32,
  yAt: u32,
}

@group(0) @binding(2) var<uniform> p: RoiAlign;

const AVG: u32 = 0;
const MOST_SAMPLES: f32 = 4096;

// Where a region begins along an axis, the size of its bins, and how many samples one has.
struct Bins {
  begin: f32,
  size: f32,
  samples: u32,
}

fn binsOf(from_: f32, to: f32, count: u32) -> Bins {
  let shift = select(0.0, 0.5, p.half != 0);
  var bins: Bins;
  bins.begin = from_ * p.scale - shift;
  var length = to * p.scale - shift - bins.begin;
  if (p.half == 0) {
    length = max(length, 1);
  }
  bins.size = length / f32(count);
  // Division is a little off on most GPUs, which would be a sample more.
  let whole = round(bins.size);
  var samples = select(ceil(bins.size), whole, whole * f32(count) == length);
  if (p.ratio != 0) {
    samples = f32(p.ratio);
  }
  bins.samples = select(0, u32(clamp(samples, 0, MOST_SAMPLES)), samples > 0 && samples <= MOST_SAMPLES);
  return bins;
}

fn placeOf(bins: Bins, bin: u32, i: u32) -> f32 {
  return bins.begin + f32(bin) * bins.size + (f32(i) + 0.5) * bins.size / f32(bins.samples);
}

// Distance to the next pixel along an axis, where there is one.
fn next(at: u32, size: u32, step: u32) -> u32 {
  return select(0, step, at + 1 < size);
}

@compute @workgroup_size(64)
fn roiAlign(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local) * LANES;
  if (i >= p.regions * p.m0 * p.m1 * p.channels) {
    return;
  }
  let channel = i % p.channels;
  let bin = i / p.channels;
  let column = bin % p.m1;
  let row = bin / p.m1 % p.m0;
  let region = bin / p.m1 / p.m0;
  let corners = p.roisAt + region * p.r0;
  let rows = binsOf(fetch(corners + p.r1), fetch(corners + 3 * p.r1), p.m0);
  let columns = binsOf(fetch(corners), fetch(corners + 2 * p.r1), p.m1);
  let image = u32(clamp(fetch(p.imagesAt + region * p.i0), 0, f32(p.images - 1)));
  let origin = p.xAt + image * p.x0 + channel;
  var result = vec4f();
  for (var r = 0u; r < rows.samples; r++) {
    for (var c = 0u; c < columns.samples; c++) {
      let at = vec2f(placeOf(rows, row, r), placeOf(columns, column, c));
      var largest = vec4f();
      if (all(at >= vec2f(-1)) && at.x <= f32(p.n0) && at.y <= f32(p.n1)) {
        let inside = clamp(at, vec2f(), vec2f(f32(p.n0 - 1), f32(p.n1 - 1)));
        let low = vec2u(inside);
        let part = inside - vec2f(low);
        let from_ = origin + low.x * p.x1 + low.y * p.x2;
        let down = next(low.x, p.n0, p.x1);
        let along = next(low.y, p.n1, p.x2);
        let a = (1 - part.x) * (1 - part.y) * fetchLanes(from_);
        let b = (1 - part.x) * part.y * fetchLanes(from_ + along);
        let d = part.x * (1 - part.y) * fetchLanes(from_ + down);
        let e = part.x * part.y * fetchLanes(from_ + down + along);
        if (p.mode == AVG) {
          result += a + b + d + e;
        }
        largest = max(max(a, b), max(d, e));
      }
      if (p.mode != AVG) {
        result = select(max(result, largest), largest, r + c == 0);
      }
    }
  }
  if (p.mode == AVG) {
    result /= f32(max(rows.samples * columns.samples, 1));
  }
  let to = p.yAt + region * p.y0 + row * p.y1 + column * p.y2 + channel;
  if (LANES == 4) {
    store4(to, result);
  } else {
    store(to, result.x);
  }
}
