// Constants: single precision, or halves in the operand that a pipeline is told has them.
@group(0) @binding(1) var<storage, read> weights: array<vec4u>;

override HALVES: bool = false;
// The operand is no constant: a call before has put its panels into the arena.
override LOADED: bool = false;

// Four weights of an operand that may be halves, from the multiple of four `i` of its elements on.
fn weight4(i: u32) -> vec4f {
  if (LOADED) {
    return load4(i);
  }
  if (HALVES) {
    let eight = weights[i >> 3];
    let words = select(eight.xy, eight.zw, (i & 4) != 0);
    return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
  }
  return bitcast<vec4f>(weights[i >> 2]);
}

fn weight(i: u32) -> f32 {
  if (LOADED) {
    return load(i);
  }
  if (HALVES) {
    return unpack2x16float(weights[i >> 3][(i >> 1) & 3])[i & 1];
  }
  return bitcast<f32>(weights[i >> 2][i & 3]);
}

fn constant(i: u32) -> f32 {
  return bitcast<f32>(weights[i >> 2][i & 3]);
}

// Four constants from a multiple of four on.
fn constant4(i: u32) -> vec4f {
  return bitcast<vec4f>(weights[i >> 2]);
}

// An operand that may be a constant says so in the highest bit of its address.
const CONSTANT: u32 = 0x80000000;

fn fetch(at: u32) -> f32 {
  if ((at & CONSTANT) != 0) {
    return constant(at & ~CONSTANT);
  }
  return load(at);
}

fn fetch4(at: u32) -> vec4f {
  if ((at & CONSTANT) != 0) {
    return constant4(at & ~CONSTANT);
  }
  return load4(at);
}

// Four elements of any alignment.
fn fetchAny4(at: u32) -> vec4f {
  return vec4f(fetch(at), fetch(at + 1), fetch(at + 2), fetch(at + 3));
}
