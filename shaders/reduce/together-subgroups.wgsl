// What the 64 invocations of a workgroup have, joined by each subgroup for itself and then by all of them alike. Nothing is taken for
// granted of their sizes, or of which invocations are in which: the first of each leaves its result in its own place.
const TREE: u32 = 64;

var<workgroup> leaves: array<vec4f, TREE>;

fn joinedBySubgroup(kind: u32, v: vec4f) -> vec4f {
  switch (kind) {
    case MAX: {
      return subgroupMax(v);
    }
    case MIN: {
      return subgroupMin(v);
    }
    case PRODUCT: {
      return subgroupMul(v);
    }
    default: {
      return subgroupAdd(v);
    }
  }
}

fn joinedByAll(kind: u32, v: vec4f, local: u32) -> vec4f {
  workgroupBarrier();
  let size = subgroupAdd(1u);
  let rank = subgroupExclusiveAdd(1u);
  let own = joinedBySubgroup(kind, v);
  // In the other places stands what changes nothing.
  var rest = vec4f();
  if (kind == MAX || kind == MIN) {
    rest = v;
  }
  if (kind == PRODUCT) {
    rest = vec4f(1);
  }
  leaves[local] = select(rest, own, rank == 0);
  workgroupBarrier();
  var sum = leaves[rank];
  for (var i = rank + size; i < TREE; i += size) {
    sum = joined(kind, sum, leaves[i]);
  }
  return joinedBySubgroup(kind, sum);
}

// The sums of two.
fn sumsOfAll(a: vec4f, b: vec4f, local: u32) -> array<vec4f, 2> {
  let first = joinedByAll(SUM, a, local);
  return array(first, joinedByAll(SUM, b, local));
}
