// Functions of two numbers, numbered as in compiler/ops/elementwise/elementwise.ts.
const BINARY_ADD: u32 = 0;
const BINARY_SUB: u32 = 1;
const BINARY_MUL: u32 = 2;
const BINARY_DIV: u32 = 3;
const BINARY_POW: u32 = 4;
const BINARY_MAX: u32 = 5;
const BINARY_MIN: u32 = 6;
const BINARY_EQUAL: u32 = 7;
const BINARY_GREATER: u32 = 8;
const BINARY_LESS: u32 = 9;
const BINARY_GREATER_OR_EQUAL: u32 = 10;
const BINARY_LESS_OR_EQUAL: u32 = 11;
const BINARY_AND: u32 = 12;
const BINARY_OR: u32 = 13;
const BINARY_XOR: u32 = 14;
const BINARY_PRELU: u32 = 15;
const BINARY_MOD: u32 = 16;
const BINARY_REMAINDER: u32 = 17;
const BINARY_BIT_AND: u32 = 18;
const BINARY_BIT_OR: u32 = 19;
const BINARY_BIT_XOR: u32 = 20;
const BINARY_SCALE_BY_POWER: u32 = 21;

fn combined(kind: u32, a: vec4f, b: vec4f) -> vec4f {
  switch (kind) {
    case BINARY_ADD: {
      return a + b;
    }
    case BINARY_SUB: {
      return a - b;
    }
    case BINARY_MUL: {
      return a * b;
    }
    case BINARY_DIV: {
      return quotient(a, b);
    }
    case BINARY_POW: {
      return power(a, b);
    }
    case BINARY_MAX: {
      return max(a, b);
    }
    case BINARY_MIN: {
      return min(a, b);
    }
    case BINARY_EQUAL: {
      return vec4f(a == b);
    }
    case BINARY_GREATER: {
      return vec4f(a > b);
    }
    case BINARY_LESS: {
      return vec4f(a < b);
    }
    case BINARY_GREATER_OR_EQUAL: {
      return vec4f(a >= b);
    }
    case BINARY_LESS_OR_EQUAL: {
      return vec4f(a <= b);
    }
    case BINARY_AND: {
      return vec4f((a != vec4f()) & (b != vec4f()));
    }
    case BINARY_OR: {
      return vec4f((a != vec4f()) | (b != vec4f()));
    }
    case BINARY_XOR: {
      return vec4f((a != vec4f()) != (b != vec4f()));
    }
    case BINARY_PRELU: {
      return select(a, a * b, a < vec4f());
    }
    case BINARY_MOD: {
      return remainder(a, b, floor(a / b), b);
    }
    case BINARY_REMAINDER: {
      return remainder(a, b, trunc(a / b), a);
    }
    case BINARY_BIT_AND: {
      return ofSign((a < vec4f()) & (b < vec4f()), bitsOf(a) & bitsOf(b));
    }
    case BINARY_BIT_OR: {
      return ofSign((a < vec4f()) | (b < vec4f()), bitsOf(a) | bitsOf(b));
    }
    case BINARY_BIT_XOR: {
      return ofSign((a < vec4f()) != (b < vec4f()), bitsOf(a) ^ bitsOf(b));
    }
    case BINARY_SCALE_BY_POWER: {
      let near = abs(b) < vec4f(64);
      let power = bitcast<vec4f>(vec4u(vec4i(select(vec4f(), b, near)) + 127) << vec4u(23));
      return select(vec4f(), a * power, near);
    }
    default: {
      return a;
    }
  }
}

// Whole numbers of either sign as 32 bits.
fn bitsOf(v: vec4f) -> vec4u {
  return select(vec4u(v), bitcast<vec4u>(vec4i(v)), v < vec4f());
}

fn ofSign(below: vec4<bool>, bits: vec4u) -> vec4f {
  return select(vec4f(bits), vec4f(bitcast<vec4i>(bits)), below);
}

// Division is a little off on most GPUs, which integers must not show.
fn quotient(a: vec4f, b: vec4f) -> vec4f {
  let q = a / b;
  let whole = round(q);
  return select(q, whole, whole * b == a);
}

// a - b * q for a quotient that may be one off: what is left is smaller than b and has the sign of `like`.
fn remainder(a: vec4f, b: vec4f, q: vec4f, like: vec4f) -> vec4f {
  let size = select(abs(b), -abs(b), like < vec4f());
  let left = fma(-q, b, a);
  let lifted = select(left, left + size, left * size < vec4f());
  return select(lifted, lifted - size, abs(lifted) >= abs(b));
}

// The logarithm knows no negative base and loses digits, so that whole exponents are multiplied out.
const MOST_FACTORS: f32 = 1023;
const NAN: u32 = 0x7fc00000;

fn power(a: vec4f, b: vec4f) -> vec4f {
  let whole = floor(b) == b;
  var square = a;
  var rest = vec4u(min(abs(b), vec4f(MOST_FACTORS)));
  var y = vec4f(1);
  for (var bit = 0u; bit < 10; bit++) {
    y = select(y, y * square, (rest & vec4u(1)) != vec4u());
    square *= square;
    rest >>= vec4u(1);
  }
  y = select(y, 1 / y, b < vec4f());
  let curve = exp2(b * log2(select(a, abs(a), whole)));
  let signed = select(curve, -curve, (a < vec4f()) & (abs(b % 2) == vec4f(1)));
  let root = select(signed, sqrt(a), b == vec4f(0.5));
  let bits = select(bitcast<vec4u>(root), vec4u(NAN), (a < vec4f()) & !whole);
  return select(bitcast<vec4f>(bits), y, whole & (abs(b) <= vec4f(MOST_FACTORS)));
}
