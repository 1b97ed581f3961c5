// Products of dense rows with weights in panels of 8 columns: hooks of product.wgsl. A module defines besides rowCount,
// columnCount and writeRow innerCount, the length of a sum, quadOf, which loads four elements of the `i`th row from its address and theirs, and rowAt and
// panelAt, where a row begins and which panel of the weights is meant; rows and panels behind the last are to be the last.
var<private> rowStart: array<u32, 8>;
var<private> weightStart: array<u32, 8>;

fn stepCount() -> u32 {
  return (innerCount() + 15) / 16;
}

fn seekRow(i: u32, row: u32, part: u32) {
  rowStart[i] = rowAt(row, part);
}

fn seekWeights(i: u32, quad: u32, part: u32) {
  weightStart[i] = p.wAt + panelAt(quad >> 1, part) * innerCount() * 8 + (quad & 1) * 4;
}

// Without branches: laneProduct repeats this, and a compiler may take every path through them.
fn rowQuad(i: u32, step: u32, quad: u32) -> vec4f {
  let k = step * 16 + quad * 4;
  let there = k < innerCount();
  let x = quadOf(i, rowStart[i], select(0, k, there));
  if (WHOLE_QUADS) {
    return select(vec4f(), x, there);
  }
  return select(vec4f(), x, vec4u(k) + vec4u(0, 1, 2, 3) < vec4u(innerCount()));
}

fn weightQuad(i: u32, step: u32, k: u32) -> vec4f {
  let row = step * 16 + k;
  let there = row < innerCount();
  return select(vec4f(), weight4(weightStart[i] + select(0, row, there) * 8), there);
}

fn begin(step: u32) {
}

fn advance() {
}
