// The products of all points as parts of one dispatch: the hooks of product.wgsl. Weights are the transformed filters.
var<private> rowStart: array<u32, 4>;
var<private> weightStart: array<u32, 4>;

fn rowCount() -> u32 {
  return tileCount();
}

fn columnCount() -> u32 {
  return p.filters;
}

fn stepCount() -> u32 {
  return (p.channels + 15) / 16;
}

fn seekRow(i: u32, row: u32, part: u32) {
  rowStart[i] = inputAt(part, min(row, tileCount() - 1));
}

fn seekWeights(i: u32, k: u32, quad: u32, part: u32) {
  let panels = (p.filters + 7) / 8;
  let panel = part * panels + min(quad >> 1, panels - 1);
  weightStart[i] = p.wAt + (panel * p.channels + k) * 8 + (quad & 1) * 4;
}

fn rowQuad(i: u32, step: u32, quad: u32) -> vec4f {
  let c = step * 16 + quad * 4;
  if (c >= p.channels) {
    return vec4f();
  }
  if (WHOLE_QUADS) {
    return load4(rowStart[i] + c);
  }
  return select(vec4f(), load4(rowStart[i] + c), vec4u(c) + vec4u(0, 1, 2, 3) < vec4u(p.channels));
}

fn weightQuad(i: u32, step: u32, k: u32) -> vec4f {
  if (step * 16 + k >= p.channels) {
    return vec4f();
  }
  return weight4(weightStart[i] + step * 128);
}

fn advance() {
}

fn writeRow(row: u32, column: u32, part: u32, sum: vec4f) {
  storeSome(productAt(part, row) + column, sum, min(p.filters - column, 4u));
}
