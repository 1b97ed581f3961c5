// The products of all points as parts of one dispatch: the hooks of panels.wgsl. Weights are the transformed filters.
fn rowCount() -> u32 {
  return tileCount();
}

fn columnCount() -> u32 {
  return p.filters;
}

fn partCount() -> u32 {
  return POINTS;
}

fn innerCount() -> u32 {
  return p.channels;
}

fn quadOf(i: u32, row: u32, k: u32) -> vec4f {
  return load4(row + k);
}

fn rowAt(row: u32, part: u32) -> u32 {
  return inputAt(part, min(row, tileCount() - 1));
}

fn panelAt(panel: u32, part: u32) -> u32 {
  let panels = (p.filters + 7) / 8;
  return part * panels + min(panel, panels - 1);
}

fn seekColumns(column: u32, part: u32) {
}

fn writeRow(row: u32, column: u32, part: u32, sum: vec4f) {
  storeSome(productAt(part, row) + column, sum, min(p.filters - column, 4u));
}
