// The `taken` largest (least) of `count` elements that lie `step` apart, best first, and where they stand; of equal ones
// the first. No number is larger than NaN.
struct Topk {
  largest: u32,
  count: u32,
  taken: u32,
  step: u32,
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
  placesAt: u32,
  scratchAt: u32,
}

@group(0) @binding(2) var<uniform> p: Topk;

// Where row `i` begins in the input, and behind the beginning of the outputs.
fn placeOf(i: u32) -> vec2u {
  return vec2u(p.xAt, 0) + placesOf(
    i,
    vec4u(p.k0, p.k1, p.k2, p.k3),
    vec4u(p.x0, p.x1, p.x2, p.x3),
    vec4u(p.y0, p.y1, p.y2, p.y3)
  );
}

// An element as a whole number, larger for better ones. Zeros are equal.
fn keyOf(at: u32) -> u32 {
  let bits = bitcast<u32>(load(at));
  let size = bits & 0x7fffffff;
  var key = select(0x80000000 | size, 0x80000000 - size, (bits >> 31) == 1);
  if (size > 0x7f800000) {
    key = 0xffffffff;
  }
  return select(~key, key, p.largest != 0);
}

const WIDTH = 256u;
var<workgroup> bins: array<atomic<u32>, 256>;
var<workgroup> counts: array<vec2u, 256>;
var<workgroup> found: vec2u;

// A workgroup for a row: finds the key of the worst that is taken, eight bits a turn, then puts the places of those
// that are better, and of the first that are as good, one behind the other into scratch memory.
@compute @workgroup_size(256)
fn choose(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = groupIndex(group, groups);
  if (row >= p.k0 * p.k1 * p.k2 * p.k3) {
    return;
  }
  let at = placeOf(row).x;
  var worst = 0u;
  var wanted = p.taken;
  for (var turn = 0u; turn < 4; turn++) {
    let shift = 24 - 8 * turn;
    atomicStore(&bins[local], 0);
    workgroupBarrier();
    for (var j = local; j < p.count; j += WIDTH) {
      let key = keyOf(at + j * p.step);
      if (turn == 0 || (key >> (shift + 8)) == worst) {
        atomicAdd(&bins[(key >> shift) & 255], 1);
      }
    }
    workgroupBarrier();
    if (local == 0) {
      var bin = 255u;
      var left = wanted;
      for (; bin > 0; bin--) {
        let held = atomicLoad(&bins[bin]);
        if (held >= left) {
          break;
        }
        left -= held;
      }
      found = vec2u(bin, left);
    }
    let next = workgroupUniformLoad(&found);
    worst = (worst << 8) | next.x;
    wanted = next.y;
  }
  let part = (p.count + WIDTH - 1) / WIDTH;
  let first = min(local * part, p.count);
  let end = min(first + part, p.count);
  var own = vec2u();
  for (var j = first; j < end; j++) {
    let key = keyOf(at + j * p.step);
    own += vec2u(u32(key > worst), u32(key == worst));
  }
  counts[local] = own;
  workgroupBarrier();
  var before = vec2u();
  for (var j = 0u; j < local; j++) {
    before += counts[j];
  }
  for (var j = first; j < end; j++) {
    let key = keyOf(at + j * p.step);
    if (key > worst || (key == worst && before.y < wanted)) {
      store(p.scratchAt + row * p.taken + before.x + min(before.y, wanted), f32(j));
    }
    before += vec2u(u32(key > worst), u32(key == worst));
  }
}

// Each of those that are taken goes where as many are better as stand in front of it.
@compute @workgroup_size(64)
fn rank(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local);
  let row = i / p.taken;
  if (row >= p.k0 * p.k1 * p.k2 * p.k3) {
    return;
  }
  let at = placeOf(row);
  let list = p.scratchAt + row * p.taken;
  let own = i % p.taken;
  let place = load(list + own);
  let key = keyOf(at.x + u32(place) * p.step);
  var better = 0u;
  for (var j = 0u; j < p.taken; j++) {
    let other = keyOf(at.x + u32(load(list + j)) * p.step);
    better += u32(other > key || (other == key && j < own));
  }
  store(p.yAt + at.y + better * p.yStep, load(at.x + u32(place) * p.step));
  store(p.placesAt + at.y + better * p.yStep, place);
}
