// Output pixels, and the panels of a group's filters, of convolutions of floats and of bytes.
struct Pixel {
  n: u32,
  d: u32,
  h: u32,
  w: u32,
}

// Output pixel `row` of all images.
fn pixelOf(row: u32) -> Pixel {
  let w = row % p.outW;
  let line = row / p.outW;
  let h = line % p.outH;
  let plane = line / p.outH;
  return Pixel(plane / p.outD, plane % p.outD, h, w);
}

fn panelCount() -> u32 {
  return (p.filters + 7) / 8;
}
