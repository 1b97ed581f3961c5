// Resizing: one axis in any mode, and rows and columns of images at once, nearest or linear.
struct ResizeAxis {
  mode: u32,
  coordinates: u32,
  rounding: u32,
  excludeOutside: u32,
  antialias: u32,
  cubic: f32,
  outside: f32,
  xSize: u32,
  ySize: u32,
  scale: f32,
  from_: f32,
  to: f32,
  xStep: u32,
  yStep: u32,
  k0: u32,
  k1: u32,
  k2: u32,
  k3: u32,
  x0: u32,
  x1: u32,
  x2: u32,
  x3: u32,
  y0: u32,
  y1: u32,
  y2: u32,
  y3: u32,
  xAt: u32,
  yAt: u32,
}

struct ResizePlane {
  mode: u32,
  coordinates: u32,
  rounding: u32,
  batch: u32,
  channels: u32,
  x0: u32,
  x1: u32,
  y0: u32,
  y1: u32,
  scale0: f32,
  scale1: f32,
  xBatch: u32,
  i0: u32,
  i1: u32,
  yBatch: u32,
  o0: u32,
  o1: u32,
  xAt: u32,
  yAt: u32,
}

@group(0) @binding(2) var<uniform> a: ResizeAxis;
@group(0) @binding(2) var<uniform> p: ResizePlane;

const NEAREST: u32 = 0;
const LINEAR: u32 = 1;
const CUBIC: u32 = 2;

const HALF_PIXEL: u32 = 0;
const HALF_PIXEL_SYMMETRIC: u32 = 1;
const PYTORCH_HALF_PIXEL: u32 = 2;
const ALIGN_CORNERS: u32 = 3;
const ASYMMETRIC: u32 = 4;
const TF_HALF_PIXEL_FOR_NN: u32 = 5;
const TF_CROP_AND_RESIZE: u32 = 6;

const ROUND_PREFER_FLOOR: u32 = 0;
const ROUND_PREFER_CEIL: u32 = 1;
const FLOOR: u32 = 2;
const CEIL: u32 = 3;

// Division is a little off on most GPUs; rounded to the nearest, as here, coordinates fall on the same side of a
// boundary between elements as on the CPU.
fn quotient(a: f32, b: f32) -> f32 {
  let q = a / b;
  return q + remainder(a, b, q) / b;
}

// a - b * q for a quotient q that is almost right, from halves of both factors, whose products are exact.
fn remainder(a: f32, b: f32, q: f32) -> f32 {
  let bHigh = upperHalf(b);
  let qHigh = upperHalf(q);
  let bLow = b - bHigh;
  let qLow = q - qHigh;
  return ((a - bHigh * qHigh) - (bHigh * qLow + bLow * qHigh)) - bLow * qLow;
}

fn upperHalf(v: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(v) & 0xfffff000);
}

// offset + a / b - 0.5, rounded once. What is known to be zero here and not to compilers keeps them from calculating sums of
// what cancels out as if nothing were rounded.
fn shiftedQuotient(offset: f32, a: f32, b: f32, zero: u32) -> f32 {
  let q = quotient(a, b);
  let centred = q - 0.5;
  let sum = kept(offset + centred, zero);
  let added = kept(sum - offset, zero);
  let lost = (offset - kept(sum - added, zero)) + (centred - added);
  return sum + (lost + remainder(a, b, q) / b);
}

fn kept(v: f32, zero: u32) -> f32 {
  return bitcast<f32>(bitcast<u32>(v) | zero);
}

// Where output element `i` lies in the input.
fn coordinate(mode: u32, i: u32, scale: f32, size: u32, count: u32) -> f32 {
  let at = f32(i);
  if (scale == 1) {
    return at;
  }
  let centred = quotient(at + 0.5, scale) - 0.5;
  switch (mode) {
    case HALF_PIXEL_SYMMETRIC: {
      let offset = f32(size) / 2 * (1 - quotient(f32(count), scale * f32(size)));
      return shiftedQuotient(offset, at + 0.5, scale, count >> 31);
    }
    case PYTORCH_HALF_PIXEL: {
      return select(0, centred, count > 1);
    }
    case ALIGN_CORNERS: {
      return quotient(at * f32(size - 1), f32(max(count, 2) - 1));
    }
    case ASYMMETRIC: {
      return quotient(at, scale);
    }
    case TF_HALF_PIXEL_FOR_NN: {
      return centred + 0.5;
    }
    default: {
      return centred;
    }
  }
}

// The same where only a part of the input is taken, from fraction `first` to fraction `last` of it.
fn croppedCoordinate(i: u32, size: u32, count: u32, first: f32, last: f32) -> f32 {
  let span = f32(size - 1);
  if (count > 1) {
    return first * span + quotient(f32(i) * (last - first) * span, f32(count - 1));
  }
  return 0.5 * (first + last) * span;
}

fn nearest(rounding: u32, at: f32, size: u32) -> u32 {
  var index: f32;
  switch (rounding) {
    case ROUND_PREFER_FLOOR: {
      index = ceil(at - 0.5);
    }
    case ROUND_PREFER_CEIL: {
      index = floor(at + 0.5);
    }
    case FLOOR: {
      index = floor(at);
    }
    default: {
      index = ceil(at);
    }
  }
  return within(i32(index), size);
}

fn within(index: i32, size: u32) -> u32 {
  return u32(clamp(index, 0, i32(size) - 1));
}

// The weight of a tap at distance `d`: a triangle, or Keys' cubic convolution.
fn filterAt(mode: u32, d: f32, cubic: f32) -> f32 {
  let z = abs(d);
  if (mode == LINEAR) {
    return max(1 - z, 0);
  }
  if (z < 1) {
    return ((cubic + 2) * z - (cubic + 3)) * z * z + 1;
  }
  return select(0, ((z - 5) * z + 8) * z * cubic - 4 * cubic, z < 2);
}

@compute @workgroup_size(64)
fn resizeAxis(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = listIndex(group, groups, local);
  let quads = a.k3 / LANES;
  let line = at / quads;
  if (line >= a.k0 * a.k1 * a.k2 * a.ySize) {
    return;
  }
  let i = line % a.ySize;
  let k = vec4u(unravel(line / a.ySize, vec4u(1, a.k0, a.k1, a.k2)).yzw, (at % quads) * LANES);
  let origin = a.xAt + dot(k, vec4u(a.x0, a.x1, a.x2, a.x3));
  storeLanes(a.yAt + dot(k, vec4u(a.y0, a.y1, a.y2, a.y3)) + i * a.yStep, sampled(origin, i));
}

fn sampled(origin: u32, i: u32) -> vec4f {
  let scale = select(a.scale, quotient(f32(a.ySize), f32(a.xSize)), a.scale == 0);
  var at: f32;
  if (a.coordinates == TF_CROP_AND_RESIZE) {
    at = croppedCoordinate(i, a.xSize, a.ySize, a.from_, a.to);
    if (at < 0 || at > f32(a.xSize - 1)) {
      return vec4f(a.outside);
    }
  } else {
    at = coordinate(a.coordinates, i, scale, a.xSize, a.ySize);
  }
  let closest = origin + nearest(a.rounding, at, a.xSize) * a.xStep;
  if (a.mode == NEAREST) {
    return loadLanes(closest);
  }
  let spread = select(1, 1 / scale, a.antialias != 0 && scale < 1);
  let radius = f32(a.mode) * spread;
  let last = i32(floor(at + radius));
  var sum = vec4f();
  var total = 0f;
  for (var index = i32(ceil(at - radius)); index <= last; index++) {
    if (a.excludeOutside == 0 || (index >= 0 && index < i32(a.xSize))) {
      let weight = filterAt(a.mode, (f32(index) - at) / spread, a.cubic);
      sum += weight * loadLanes(origin + within(index, a.xSize) * a.xStep);
      total += weight;
    }
  }
  if (total == 0) {
    return loadLanes(closest);
  }
  return sum / total;
}

@compute @workgroup_size(64)
fn resizePlane(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local);
  let quads = p.channels / LANES;
  if (i >= p.batch * p.y0 * p.y1 * quads) {
    return;
  }
  let c = (i % quads) * LANES;
  let o = unravel(i / quads, vec4u(1, p.batch, p.y0, p.y1)).yzw;
  let scale0 = select(p.scale0, quotient(f32(p.y0), f32(p.x0)), p.scale0 == 0);
  let scale1 = select(p.scale1, quotient(f32(p.y1), f32(p.x1)), p.scale1 == 0);
  let h = coordinate(p.coordinates, o.y, scale0, p.x0, p.y0);
  let w = coordinate(p.coordinates, o.z, scale1, p.x1, p.y1);
  let origin = p.xAt + o.x * p.xBatch + c;
  let to = p.yAt + o.x * p.yBatch + o.y * p.o0 + o.z * p.o1 + c;
  if (p.mode == NEAREST) {
    storeLanes(to, loadLanes(origin + nearest(p.rounding, h, p.x0) * p.i0 + nearest(p.rounding, w, p.x1) * p.i1));
    return;
  }
  let upper = origin + within(i32(floor(h)), p.x0) * p.i0;
  let lower = origin + within(i32(floor(h)) + 1, p.x0) * p.i0;
  let left = within(i32(floor(w)), p.x1) * p.i1;
  let right = within(i32(floor(w)) + 1, p.x1) * p.i1;
  let top = mix(loadLanes(upper + left), loadLanes(upper + right), fract(w));
  let bottom = mix(loadLanes(lower + left), loadLanes(lower + right), fract(w));
  storeLanes(to, mix(top, bottom, fract(h)));
}
