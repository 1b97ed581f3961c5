// Products of dense rows with weights in panels of 8 columns: hooks of product.wgsl. A module defines besides rowCount,
// columnCount and writeRow innerCount, the length of a sum, and rowAt and panelAt, where a row begins and which panel of the
// weights is meant; rows and panels behind the last are to be the last.
var<private> rowStart: array<u32, 8>;
var<private> weightStart: array<u32, 8>;

fn stepCount() -> u32 {
  return (innerCount() + 15) / 16;
}

fn seekRow(i: u32, row: u32, part: u32) {
  rowStart[i] = rowAt(row, part);
}

fn seekWeights(i: u32, k: u32, quad: u32, part: u32) {
  weightStart[i] = p.wAt + panelAt(quad >> 1, part) * innerCount() * 8 + k * 8 + (quad & 1) * 4;
}

fn rowQuad(i: u32, step: u32, quad: u32) -> vec4f {
  let k = step * 16 + quad * 4;
  if (k >= innerCount()) {
    return vec4f();
  }
  if (WHOLE_QUADS) {
    return load4(rowStart[i] + k);
  }
  return select(vec4f(), load4(rowStart[i] + k), vec4u(k) + vec4u(0, 1, 2, 3) < vec4u(innerCount()));
}

fn weightQuad(i: u32, step: u32, k: u32) -> vec4f {
  if (step * 16 + k >= innerCount()) {
    return vec4f();
  }
  return weight4(weightStart[i] + step * 128);
}

fn begin(step: u32) {
}

fn advance() {
}
