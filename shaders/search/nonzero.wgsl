// Where the elements of a dense tensor of sizes d are not 0, in their order: along each of the last `rank` axes a row of as
// many positions as there are elements, zeros behind those that are found; and how many these are.
struct NonZero {
  rank: u32,
  d0: u32,
  d1: u32,
  d2: u32,
  d3: u32,
  d4: u32,
  d5: u32,
  xAt: u32,
  yAt: u32,
  countAt: u32,
}

@group(0) @binding(2) var<uniform> p: NonZero;

const WIDTH: u32 = 256;

var<workgroup> founds: array<u32, 256>;

// The positions of element `i`, the innermost in the last row.
fn storePlace(i: u32, at: u32, room: u32) {
  let sizes = array<u32, 6>(p.d0, p.d1, p.d2, p.d3, p.d4, p.d5);
  var rest = i;
  for (var row = p.rank; row > 0; row--) {
    let size = sizes[5 + row - p.rank];
    store(p.yAt + (row - 1) * room + at, f32(rest % size));
    rest /= size;
  }
}

// One workgroup: each invocation counts in its part, then goes over it once more, behind what the parts before have.
@compute @workgroup_size(256)
fn nonZero(@builtin(local_invocation_index) local: u32) {
  let room = p.d0 * p.d1 * p.d2 * p.d3 * p.d4 * p.d5;
  let part = (room + WIDTH - 1) / WIDTH;
  let first = min(local * part, room);
  let end = min(first + part, room);
  var own = 0u;
  for (var i = first; i < end; i++) {
    own += select(0u, 1u, fetch(p.xAt + i) != 0);
  }
  founds[local] = own;
  workgroupBarrier();
  var at = 0u;
  var all = 0u;
  for (var j = 0u; j < WIDTH; j++) {
    at += select(0u, founds[j], j < local);
    all += founds[j];
  }
  for (var i = first; i < end; i++) {
    if (fetch(p.xAt + i) != 0) {
      storePlace(i, at, room);
      at++;
    }
  }
  for (var i = all + local; i < room; i += WIDTH) {
    for (var row = 0u; row < p.rank; row++) {
      store(p.yAt + row * room + i, 0);
    }
  }
  if (local == 0) {
    store(p.countAt, f32(all));
  }
}
