// Each group of neighbouring channels of each image brought to mean 0 and variance 1, then scaled and shifted by
// channel, or by group with `perGroup`, and activated: a workgroup for a group, or for four groups of one channel each.
// Of large groups, workgroups first find the moments of a slice each, and then all slices' moments together.
struct GroupNorm {
  batch: u32,
  channels: u32,
  groups: u32,
  perGroup: u32,
  epsilon: f32,
  p0: u32,
  p1: u32,
  p2: u32,
  xBatch: u32,
  x0: u32,
  x1: u32,
  x2: u32,
  yBatch: u32,
  y0: u32,
  y1: u32,
  y2: u32,
  act: u32,
  alpha: f32,
  beta: f32,
  xAt: u32,
  scaleAt: u32,
  biasAt: u32,
  workAt: u32,
  yAt: u32,
}

@group(0) @binding(2) var<uniform> p: GroupNorm;

// Whether each lane is a group of its own.
override APART: bool = false;

override SLICES: u32 = 1;

// What a workgroup works on.
struct Part {
  // Where the image's channels from the first on begin in input and output.
  x: u32,
  y: u32,
  group: u32,
  width: u32,
  // Elements by pixel and channel, of which the lanes are neighbours unless they are groups of their own.
  begin: u32,
  end: u32,
}

fn stepWidth() -> u32 {
  return select(LANES, 1, APART);
}

fn elementCount() -> u32 {
  return p.p0 * p.p1 * p.p2 * (p.channels / p.groups);
}

fn sliceLength() -> u32 {
  let steps = elementCount() / stepWidth();
  return (steps + SLICES - 1) / SLICES * stepWidth();
}

fn partCount() -> u32 {
  return p.batch * (p.groups / select(1, LANES, APART));
}

fn partOf(i: u32, slice: u32) -> Part {
  let span = select(1, LANES, APART);
  let parts = p.groups / span;
  let n = i / parts;
  let group = (i % parts) * span;
  let width = p.channels / p.groups;
  let begin = slice * sliceLength();
  return Part(
    p.xAt + n * p.xBatch + group * width,
    p.yAt + n * p.yBatch + group * width,
    group,
    width,
    begin,
    min(begin + sliceLength(), elementCount())
  );
}

// Of element `i`: where it lies behind the part's beginning in input and output, and its channel within the group.
fn placeOf(i: u32, width: u32) -> vec3u {
  let k = unravel(i / width, vec4u(1, p.p0, p.p1, p.p2)).yzw;
  let c = i % width;
  return vec3u(dot(k, vec3u(p.x0, p.x1, p.x2)) + c, dot(k, vec3u(p.y0, p.y1, p.y2)) + c, c);
}

// `rest` is what the rounding of a mean that is large beside the deviation from it has lost.
struct Moments {
  mean: vec4f,
  rest: vec4f,
  variance: vec4f,
}

fn momentsOf(part: Part, local: u32) -> Moments {
  let stride = 64 * stepWidth();
  let count = f32(part.end - part.begin);
  var sum = vec4f();
  for (var i = part.begin + local * stepWidth(); i < part.end; i += stride) {
    sum += loadLanes(part.x + placeOf(i, part.width).x);
  }
  let mean = total(joinedByAll(SUM, sum, local)) / count;
  var rest = vec4f();
  var squares = vec4f();
  for (var i = part.begin + local * stepWidth(); i < part.end; i += stride) {
    let off = loadLanes(part.x + placeOf(i, part.width).x) - mean;
    rest += off;
    squares += off * off;
  }
  rest = total(joinedByAll(SUM, rest, local)) / count;
  return Moments(mean, rest, total(joinedByAll(SUM, squares, local)) / count - rest * rest);
}

fn total(sum: vec4f) -> vec4f {
  if (APART) {
    return sum;
  }
  return vec4f(acrossLanes(sum));
}

fn normalise(part: Part, moments: Moments, local: u32) {
  let factor = 1 / sqrt(max(moments.variance, vec4f()) + p.epsilon);
  for (var i = part.begin + local * stepWidth(); i < part.end; i += 64 * stepWidth()) {
    let at = placeOf(i, part.width);
    let normal = (loadLanes(part.x + at.x) - moments.mean - moments.rest) * factor;
    var scale: vec4f;
    var bias: vec4f;
    if (p.perGroup != 0 && !APART) {
      scale = vec4f(fetch(p.scaleAt + part.group));
      bias = vec4f(fetch(p.biasAt + part.group));
    } else {
      scale = fetchLanes(p.scaleAt + part.group * part.width + at.z);
      bias = fetchLanes(p.biasAt + part.group * part.width + at.z);
    }
    storeLanes(part.y + at.y, activate(p.act, normal * scale + bias, vec4f(p.alpha), p.beta));
  }
}

@compute @workgroup_size(64)
fn groupNorm(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = groupIndex(group, groups);
  if (i >= partCount()) {
    return;
  }
  let part = partOf(i, 0);
  normalise(part, momentsOf(part, local), local);
}

// Where mean, rest and standard deviation, whose range is that of the elements, of slice `i` lie.
fn workAt(i: u32) -> u32 {
  return p.workAt + i * 12;
}

@compute @workgroup_size(64)
fn sliceMoments(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = groupIndex(group, groups);
  if (i >= partCount() * SLICES) {
    return;
  }
  let moments = momentsOf(partOf(i / SLICES, i % SLICES), local);
  if (local == 0) {
    store4(workAt(i), moments.mean);
    store4(workAt(i) + 4, moments.rest);
    store4(workAt(i) + 8, sqrt(max(moments.variance, vec4f())));
  }
}

@compute @workgroup_size(64)
fn sliceNormal(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = groupIndex(group, groups);
  if (i >= partCount() * SLICES) {
    return;
  }
  normalise(partOf(i / SLICES, i % SLICES), joinedMoments(i / SLICES), local);
}

// The moments of all slices of a part, from the first one's mean on.
fn joinedMoments(i: u32) -> Moments {
  let mean = load4(workAt(i * SLICES));
  var rest = vec4f();
  var squares = vec4f();
  for (var slice = 0u; slice < SLICES; slice++) {
    let at = workAt(i * SLICES + slice);
    let off = load4(at) - mean + load4(at + 4);
    let deviation = load4(at + 8);
    rest += off * shareOf(slice);
    squares += (off * off + deviation * deviation) * shareOf(slice);
  }
  return Moments(mean, rest, squares - rest * rest);
}

fn shareOf(slice: u32) -> f32 {
  let begin = slice * sliceLength();
  return f32(min(sliceLength(), elementCount() - begin)) / f32(elementCount());
}
