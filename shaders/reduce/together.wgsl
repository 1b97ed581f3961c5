// What the 64 invocations of a workgroup have, joined by halves; together-subgroups.wgsl is for devices that have subgroups.
const TREE: u32 = 64;

var<workgroup> leaves: array<vec4f, TREE>;
var<workgroup> pairs: array<vec4f, 2 * TREE>;

fn joinedByAll(kind: u32, v: vec4f, local: u32) -> vec4f {
  leaves[local] = v;
  for (var width = TREE / 2; width > 0; width >>= 1) {
    workgroupBarrier();
    if (local < width) {
      leaves[local] = joined(kind, leaves[local], leaves[local + width]);
    }
  }
  return workgroupUniformLoad(&leaves[0]);
}

// The sums of two.
fn sumsOfAll(a: vec4f, b: vec4f, local: u32) -> array<vec4f, 2> {
  workgroupBarrier();
  pairs[local] = a;
  pairs[local + TREE] = b;
  for (var width = TREE / 2; width > 0; width >>= 1) {
    workgroupBarrier();
    if (local < width) {
      pairs[local] += pairs[local + width];
      pairs[local + TREE] += pairs[local + TREE + width];
    }
  }
  workgroupBarrier();
  return array(pairs[0], pairs[TREE]);
}
