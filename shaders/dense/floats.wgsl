// Sums of products of floats, and where their weights lie.
alias Sum = vec4f;

fn summed(sum: Sum, a: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> Sum {
  return fma(vec4f(a.w), b3, fma(vec4f(a.z), b2, fma(vec4f(a.y), b1, fma(vec4f(a.x), b0, sum))));
}

// A share of a sum as floats, and a sum of those.
fn partOf(sum: Sum) -> vec4f {
  return sum;
}

fn sumOf(shares: vec4f) -> Sum {
  return shares;
}

// What stands for zero among the rows' elements.
fn origin() -> f32 {
  return 0;
}

// How many rows of a panel so many take, where row `k` of a half begins, and four columns from there.
fn depthOf(rows: u32) -> u32 {
  return rows;
}

fn placeOfRow(k: u32, half: u32) -> u32 {
  return k * 8 + half * 4;
}

fn weightsAt(at: u32) -> vec4f {
  return weight4(at);
}
