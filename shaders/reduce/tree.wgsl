// Reductions, numbered as in compiler/ops/reduce/reduce.ts, over the invocations of a workgroup.
const SUM: u32 = 0;
const MEAN: u32 = 1;
const MAX: u32 = 2;
const MIN: u32 = 3;
const PRODUCT: u32 = 4;
const L1: u32 = 5;
const L2: u32 = 6;
const SUM_OF_SQUARES: u32 = 7;
const LOG_OF_SUM: u32 = 8;
const LOG_OF_SUM_OF_EXP: u32 = 9;

const TREE: u32 = 64;

var<workgroup> leaves: array<vec4f, TREE>;

// Two partial results in one.
fn joined(kind: u32, a: vec4f, b: vec4f) -> vec4f {
  switch (kind) {
    case MAX: {
      return max(a, b);
    }
    case MIN: {
      return min(a, b);
    }
    case PRODUCT: {
      return a * b;
    }
    default: {
      return a + b;
    }
  }
}

// What all invocations of a workgroup of 64 have, joined.
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
