// The arena four elements at a time: everything that the kernel touches is aligned to four.
@group(0) @binding(0) var<storage, read_write> arena: array<vec4<Element>>;

// Counts of channels are multiples of four too: no quad is cut.
const WHOLE_QUADS: bool = true;

fn load(i: u32) -> f32 {
  return f32(arena[i >> 2][i & 3]);
}

fn load4(i: u32) -> vec4f {
  return vec4f(arena[i >> 2]);
}

// Never called: two threads may not write into one vector. Kernels that write single elements take arena-scalar.
fn store(i: u32, v: f32) {
}

fn store4(i: u32, v: vec4f) {
  arena[i >> 2] = narrow(v);
}

fn storeSome(i: u32, v: vec4f, count: u32) {
  arena[i >> 2] = narrow(v);
}
