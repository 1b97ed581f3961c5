// Rows of a matrix, one behind another: hooks of panels.wgsl.
fn rowCount() -> u32 {
  return p.rows;
}

fn columnCount() -> u32 {
  return p.columns;
}

fn partCount() -> u32 {
  return 1;
}

fn innerCount() -> u32 {
  return p.inner;
}

fn rowAt(row: u32, part: u32) -> u32 {
  return p.xAt + min(row, p.rows - 1) * p.xRow;
}

fn panelAt(panel: u32, part: u32) -> u32 {
  return min(panel, (p.columns - 1) / 8);
}

fn seekColumns(column: u32, part: u32) {
  seekOperands(column);
}

fn writeRow(row: u32, column: u32, part: u32, sum: vec4f) {
  let count = min(p.columns - column, 4u);
  finishQuad(sum, p.rAt + row * p.rRow + column, p.yAt + row * p.yRow + column, count);
}
