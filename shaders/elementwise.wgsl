// Functions of one, two and three operands over any strides, six loops deep. The entries that end in 4 take four
// elements at a time, where the innermost loop of the output is dense and that of an operand dense or standing still.
struct Unary {
  d0: u32,
  d1: u32,
  d2: u32,
  d3: u32,
  d4: u32,
  d5: u32,
  x0: i32,
  x1: i32,
  x2: i32,
  x3: i32,
  x4: i32,
  x5: i32,
  y0: i32,
  y1: i32,
  y2: i32,
  y3: i32,
  y4: i32,
  y5: i32,
  act: u32,
  alpha: f32,
  beta: f32,
  xAt: u32,
  yAt: u32,
}

@group(0) @binding(2) var<uniform> u: Unary;

// The six indices of element `i` of the loops `d`.
fn unravel(i: u32, d1: u32, d2: u32, d3: u32, d4: u32, d5: u32) -> array<i32, 6> {
  var rest = i;
  let i5 = rest % d5;
  rest /= d5;
  let i4 = rest % d4;
  rest /= d4;
  let i3 = rest % d3;
  rest /= d3;
  let i2 = rest % d2;
  rest /= d2;
  return array(i32(rest / d1), i32(rest % d1), i32(i2), i32(i3), i32(i4), i32(i5));
}

fn stepped(i: array<i32, 6>, s0: i32, s1: i32, s2: i32, s3: i32, s4: i32, s5: i32) -> u32 {
  return u32(i[0] * s0 + i[1] * s1 + i[2] * s2 + i[3] * s3 + i[4] * s4 + i[5] * s5);
}

@compute @workgroup_size(64)
fn unary(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = listIndex(group, groups, local);
  if (at >= u.d0 * u.d1 * u.d2 * u.d3 * u.d4 * u.d5) {
    return;
  }
  let i = unravel(at, u.d1, u.d2, u.d3, u.d4, u.d5);
  let v = fetch(u.xAt + stepped(i, u.x0, u.x1, u.x2, u.x3, u.x4, u.x5));
  let y = activate(u.act, vec4f(v), vec4f(u.alpha), u.beta).x;
  store(u.yAt + stepped(i, u.y0, u.y1, u.y2, u.y3, u.y4, u.y5), y);
}

@compute @workgroup_size(64)
fn unary4(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = listIndex(group, groups, local) * 4;
  if (at >= u.d0 * u.d1 * u.d2 * u.d3 * u.d4 * u.d5) {
    return;
  }
  let i = unravel(at, u.d1, u.d2, u.d3, u.d4, u.d5);
  let v = fetchQuad(u.xAt + stepped(i, u.x0, u.x1, u.x2, u.x3, u.x4, u.x5), u.x5);
  let y = activate(u.act, v, vec4f(u.alpha), u.beta);
  store4(u.yAt + stepped(i, u.y0, u.y1, u.y2, u.y3, u.y4, u.y5), y);
}

// Four adjacent elements, or one that stands for all four.
fn fetchQuad(at: u32, step: i32) -> vec4f {
  if (step == 0) {
    return vec4f(fetch(at));
  }
  return fetch4(at);
}
