// The arena element by element, for what is not aligned to four.
@group(0) @binding(0) var<storage, read_write> arena: array<Element>;

const WHOLE_QUADS: bool = false;

fn load(i: u32) -> f32 {
  return f32(arena[i]);
}

fn load4(i: u32) -> vec4f {
  return vec4f(vec4<Element>(arena[i], arena[i + 1], arena[i + 2], arena[i + 3]));
}

fn store(i: u32, v: f32) {
  arena[i] = narrow(vec4f(v)).x;
}

fn store4(i: u32, v: vec4f) {
  storeSome(i, v, 4);
}

// The first `count` of four elements.
fn storeSome(i: u32, v: vec4f, count: u32) {
  let narrowed = narrow(v);
  arena[i] = narrowed.x;
  if (count > 1) {
    arena[i + 1] = narrowed.y;
  }
  if (count > 2) {
    arena[i + 2] = narrowed.z;
  }
  if (count > 3) {
    arena[i + 3] = narrowed.w;
  }
}
