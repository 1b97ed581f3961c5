// Functions of one number, numbered as in compiler/ops/elementwise/activation.ts.
const IDENTITY: u32 = 0;
const CLIP: u32 = 1;
const LEAKY_RELU: u32 = 2;
const PRELU: u32 = 3;
const SIGMOID: u32 = 4;
const TANH: u32 = 5;
const HARD_SIGMOID: u32 = 6;
const HARD_SWISH: u32 = 7;
const SILU: u32 = 8;
const MISH: u32 = 9;
const ELU: u32 = 10;
const SELU: u32 = 11;
const SOFTPLUS: u32 = 12;
const GELU: u32 = 13;
const GELU_TANH: u32 = 14;
const ERF: u32 = 15;
const EXP: u32 = 16;
const LOG: u32 = 17;
const SQRT: u32 = 18;
const ABS: u32 = 19;
const NEG: u32 = 20;
const RECIPROCAL: u32 = 21;
const FLOOR: u32 = 22;
const CEIL: u32 = 23;
const ROUND: u32 = 24;
const TRUNCATE: u32 = 25;
const NONZERO: u32 = 26;
const NOT: u32 = 27;
const SIGN: u32 = 28;
const SOFTSIGN: u32 = 29;
const THRESHOLDED_RELU: u32 = 30;
const AFFINE: u32 = 31;
const SHRINK: u32 = 32;
const SIN: u32 = 33;
const COS: u32 = 34;
const TAN: u32 = 35;
const ASIN: u32 = 36;
const ACOS: u32 = 37;
const ATAN: u32 = 38;
const SINH: u32 = 39;
const COSH: u32 = 40;
const ASINH: u32 = 41;
const ACOSH: u32 = 42;
const ATANH: u32 = 43;
const IS_NAN: u32 = 44;
const IS_INF: u32 = 45;

// The only kind beyond a bound that calls of the pipeline have: compilers and registers are spared the rest. IDENTITY where they have
// none, ANY where each says for itself.
const ANY: u32 = 0xffffffff;
override CURVE: u32 = ANY;

fn activate(kind: u32, v: vec4f, alpha: vec4f, beta: f32) -> vec4f {
  if (CURVE != IDENTITY && CURVE != ANY) {
    return curve(CURVE, v, alpha, beta);
  }
  if (kind == CLIP) {
    return min(max(v, alpha), vec4f(beta));
  }
  if (CURVE == IDENTITY || kind == IDENTITY) {
    return v;
  }
  return curve(kind, v, alpha, beta);
}

fn curve(kind: u32, v: vec4f, alpha: vec4f, beta: f32) -> vec4f {
  switch (kind) {
    case LEAKY_RELU, PRELU: {
      return select(v, v * alpha, v < vec4f());
    }
    case SIGMOID: {
      return sigmoid(v);
    }
    case TANH: {
      return bentTanh(v);
    }
    case HARD_SIGMOID: {
      return saturate(v * alpha + beta);
    }
    case HARD_SWISH: {
      return v * saturate(v * alpha + beta);
    }
    case SILU: {
      return v * sigmoid(v);
    }
    case MISH: {
      return v * bentTanh(softplus(v));
    }
    case ELU: {
      return elu(v, alpha);
    }
    case SELU: {
      return beta * elu(v, alpha);
    }
    case SOFTPLUS: {
      return softplus(v);
    }
    case GELU: {
      return 0.5 * v * (1 + erf(v * 0.70710678));
    }
    case GELU_TANH: {
      return v * sigmoid(v * (1.5957691 + 0.071354813 * v * v));
    }
    case ERF: {
      return erf(v);
    }
    case EXP: {
      return exp(v);
    }
    case LOG: {
      return log(v);
    }
    case SQRT: {
      return sqrt(v);
    }
    case ABS: {
      return abs(v);
    }
    case NEG: {
      return -v;
    }
    case RECIPROCAL: {
      return 1 / v;
    }
    case FLOOR: {
      return floor(v);
    }
    case CEIL: {
      return ceil(v);
    }
    case ROUND: {
      return round(v);
    }
    case TRUNCATE: {
      return trunc(v);
    }
    case NONZERO: {
      return vec4f(v != vec4f());
    }
    case NOT: {
      return vec4f(v == vec4f());
    }
    case SIGN: {
      return sign(v);
    }
    case SOFTSIGN: {
      return v / (1 + abs(v));
    }
    case THRESHOLDED_RELU: {
      return select(vec4f(), v, v > alpha);
    }
    case AFFINE: {
      return v * alpha + beta;
    }
    case SHRINK: {
      return select(vec4f(), v - sign(v) * beta, abs(v) > alpha);
    }
    case SIN: {
      return sine(v, 0);
    }
    case COS: {
      return sine(v, 1);
    }
    case TAN: {
      return sine(v, 0) / sine(v, 1);
    }
    case ASIN: {
      return inverseSin(v);
    }
    case ACOS: {
      return inverseCos(v);
    }
    case ATAN: {
      return atan(v);
    }
    case SINH: {
      return bentSinh(v);
    }
    case COSH: {
      return cosh(v);
    }
    case ASINH: {
      return inverseSinh(v);
    }
    case ACOSH: {
      return inverseCosh(v);
    }
    case ATANH: {
      return inverseTanh(v);
    }
    case IS_NAN: {
      return vec4f((bitcast<vec4u>(v) & vec4u(MAGNITUDE)) > vec4u(INFINITE));
    }
    case IS_INF: {
      let wanted = select(alpha, vec4f(beta), bitcast<vec4i>(v) < vec4i());
      return select(vec4f(), wanted, (bitcast<vec4u>(v) & vec4u(MAGNITUDE)) == vec4u(INFINITE));
    }
    default: {
      return v;
    }
  }
}

// Bits without the sign, and those of infinity: compilers take comparisons of NaN and infinities for what they like.
const MAGNITUDE: u32 = 0x7fffffff;
const INFINITE: u32 = 0x7f800000;

fn sigmoid(v: vec4f) -> vec4f {
  return 1 / (1 + exp(-v));
}

// Some drivers overflow on the way to 1; behind 15 it is 1 in single precision.
fn bentTanh(v: vec4f) -> vec4f {
  return tanh(clamp(v, vec4f(-15), vec4f(15)));
}

// log(1 + e) loses the digits of a small e; the quotient gives them back (Higham 2002, section 1.14.1).
fn softplus(v: vec4f) -> vec4f {
  let e = exp(-abs(v));
  let sum = 1 + e;
  let rest = sum - 1;
  let exact = log(sum) * (e / select(rest, vec4f(1), rest == vec4f()));
  return max(v, vec4f()) + select(exact, e, rest == vec4f());
}

fn elu(v: vec4f, alpha: vec4f) -> vec4f {
  return select(v, alpha * expm1(min(v, vec4f())), v < vec4f());
}

// Taylor's series near zero, where exp(v) - 1 has lost its digits.
fn expm1(v: vec4f) -> vec4f {
  let series = v * (1 + v * (0.5 + v * (0.16666667 + v * (0.041666667 + v * (0.0083333333 + v * 0.0013888889)))));
  return select(exp(v) - 1, series, abs(v) < vec4f(0.35));
}

// Abramowitz and Stegun 7.1.26, error below 1.5e-7; the odd series where the result itself is small.
fn erf(v: vec4f) -> vec4f {
  let z = abs(v);
  let t = 1 / (1 + 0.3275911 * z);
  let tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  let square = v * v;
  let series = 1.1283792 * v * (1 - square * (0.33333333 - square * (0.1 - square * 0.023809524)));
  return select(sign(v) * (1 - tail * exp(-z * z)), series, z < vec4f(0.3));
}

// The builtins of the names below may lose digits: half of them are allowed to.
// sin(v + turns * pi / 2), as asm/elementwise/trigonometry.ts computes it.
fn sine(v: vec4f, turns: i32) -> vec4f {
  let quotient = round(v * 0.63661977);
  let r = ((v - quotient * 1.5703125) - quotient * 4.83751297e-4) - quotient * 7.54978995e-8;
  let quadrant = vec4i(quotient) + turns;
  let z = r * r;
  let s = r + r * z * (-1.6666654611e-1 + z * (8.3321608736e-3 - z * 1.9515295891e-4));
  let c = 1 - z * 0.5 + z * z * (4.166664568e-2 + z * (-1.388731625e-3 + z * 2.443315712e-5));
  let y = select(s, c, (quadrant & vec4i(1)) != vec4i());
  return select(y, -y, (quadrant & vec4i(2)) != vec4i());
}

fn inverseSin(v: vec4f) -> vec4f {
  return atan(v / sqrt((1 - v) * (1 + v)));
}

fn inverseCos(v: vec4f) -> vec4f {
  return 2 * atan(sqrt((1 - v) / (1 + v)));
}

// From expm1, which keeps the digits of small v.
fn bentSinh(v: vec4f) -> vec4f {
  let m = expm1(abs(v));
  return sign(v) * select(0.5 * (m + m / (m + 1)), 0.5 * exp(abs(v)), abs(v) > vec4f(20));
}

// log(1 + u) for u at least 0.
fn log1p(u: vec4f) -> vec4f {
  let sum = 1 + u;
  let rest = sum - 1;
  return select(log(sum) * (u / select(rest, vec4f(1), rest == vec4f())), u, rest == vec4f());
}

fn inverseSinh(v: vec4f) -> vec4f {
  let size = abs(v);
  let near = log1p(size + size * size / (1 + sqrt(size * size + 1)));
  return sign(v) * select(near, log(size) + 0.69314718, size > vec4f(10000));
}

fn inverseCosh(v: vec4f) -> vec4f {
  let above = v - 1;
  return select(log1p(above + sqrt(above) * sqrt(above + 2)), log(v) + 0.69314718, v > vec4f(10000));
}

// The root is for what is beyond 1, where drivers may give any logarithm.
fn inverseTanh(v: vec4f) -> vec4f {
  let root = sqrt(1 - abs(v));
  return sign(v) * 0.5 * log1p(2 * abs(v) / (root * root));
}
