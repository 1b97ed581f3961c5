// Kernels that take four neighbouring elements at a time where those are aligned, and one where they are not. One fills
// all lanes of its vector, so that both are computed alike.
override LANES: u32 = 1;

fn loadLanes(i: u32) -> vec4f {
  if (LANES == 4) {
    return load4(i);
  }
  return vec4f(load(i));
}

fn storeLanes(i: u32, v: vec4f) {
  if (LANES == 4) {
    store4(i, v);
  } else {
    store(i, v.x);
  }
}

// The sum of what the lanes have.
fn acrossLanes(v: vec4f) -> f32 {
  return select(v.x, v.x + v.y + v.z + v.w, LANES == 4);
}

// No constant, because WGSL has none that are infinite.
fn infinity() -> f32 {
  var bits = 0x7f800000u;
  return bitcast<f32>(bits);
}
