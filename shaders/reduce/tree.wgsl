// Reductions, numbered as in compiler/ops/reduce/reduce.ts.
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
