// Kept loops k around reduced loops r, whose steps in the input are s. Four channels at a time where they are aligned.
struct Reduce {
  kind: u32,
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
  r0: u32,
  r1: u32,
  r2: u32,
  r3: u32,
  s0: u32,
  s1: u32,
  s2: u32,
  s3: u32,
  xAt: u32,
  yAt: u32,
}

@group(0) @binding(2) var<uniform> p: Reduce;

// The call's kind, of which a compiler makes nothing else.
override KIND: u32 = SUM;

fn outputCount() -> u32 {
  return p.k0 * p.k1 * p.k2 * p.k3 / LANES;
}

// Where output `i` begins in input and output.
fn placeOf(i: u32) -> vec2u {
  return vec2u(p.xAt, p.yAt) + placesOf(
    i * LANES,
    vec4u(p.k0, p.k1, p.k2, p.k3),
    vec4u(p.x0, p.x1, p.x2, p.x3),
    vec4u(p.y0, p.y1, p.y2, p.y3)
  );
}

// What every `stride`th reduced element from the first on makes, as `kind` has it.
fn partOf(kind: u32, origin: u32, first: u32, stride: u32, largest: vec4f) -> vec4f {
  var sum = initial(kind);
  let sizes = vec4u(p.r0, p.r1, p.r2, p.r3);
  let count = p.r0 * p.r1 * p.r2 * p.r3;
  var r = unravel(first, sizes);
  for (var i = first; i < count; i += stride) {
    let v = loadLanes(origin + dot(r, vec4u(p.s0, p.s1, p.s2, p.s3)));
    sum = joined(kind, sum, contribution(kind, v, largest));
    r.w += stride;
    // Divisions take longer than the rest: only where a line ends.
    if (r.w >= sizes.w) {
      r = unravel(i + stride, sizes);
    }
  }
  return sum;
}

fn initial(kind: u32) -> vec4f {
  switch (kind) {
    case MAX: {
      return vec4f(-infinity());
    }
    case MIN: {
      return vec4f(infinity());
    }
    case PRODUCT: {
      return vec4f(1);
    }
    default: {
      return vec4f();
    }
  }
}

fn contribution(kind: u32, v: vec4f, largest: vec4f) -> vec4f {
  switch (kind) {
    case L1: {
      return abs(v);
    }
    case L2, SUM_OF_SQUARES: {
      return v * v;
    }
    case LOG_OF_SUM_OF_EXP: {
      return exp(v - largest);
    }
    default: {
      return v;
    }
  }
}

fn finish(sum: vec4f, largest: vec4f) -> vec4f {
  switch (KIND) {
    case MEAN: {
      return sum / f32(p.r0 * p.r1 * p.r2 * p.r3);
    }
    case L2: {
      return sqrt(sum);
    }
    case LOG_OF_SUM: {
      return log(sum);
    }
    case LOG_OF_SUM_OF_EXP: {
      return select(largest + log(sum), largest, abs(largest) == vec4f(infinity()));
    }
    default: {
      return sum;
    }
  }
}

@compute @workgroup_size(64)
fn reduce(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local);
  if (i >= outputCount()) {
    return;
  }
  let at = placeOf(i);
  var largest = vec4f();
  if (KIND == LOG_OF_SUM_OF_EXP) {
    largest = partOf(MAX, at.x, 0, 1, vec4f());
  }
  storeLanes(at.y, finish(partOf(KIND, at.x, 0, 1, largest), largest));
}

// A workgroup for an output, or for four neighbouring ones.
@compute @workgroup_size(64)
fn longReduce(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = groupIndex(group, groups);
  if (i >= outputCount()) {
    return;
  }
  let at = placeOf(i);
  var largest = vec4f();
  if (KIND == LOG_OF_SUM_OF_EXP) {
    largest = joinedByAll(MAX, partOf(MAX, at.x, local, 64, vec4f()), local);
  }
  let sum = joinedByAll(KIND, partOf(KIND, at.x, local, 64, largest), local);
  if (local == 0) {
    storeLanes(at.y, finish(sum, largest));
  }
}
