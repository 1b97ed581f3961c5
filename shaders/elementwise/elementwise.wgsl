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

struct Binary {
  d0: u32,
  d1: u32,
  d2: u32,
  d3: u32,
  d4: u32,
  d5: u32,
  a0: i32,
  a1: i32,
  a2: i32,
  a3: i32,
  a4: i32,
  a5: i32,
  b0: i32,
  b1: i32,
  b2: i32,
  b3: i32,
  b4: i32,
  b5: i32,
  y0: i32,
  y1: i32,
  y2: i32,
  y3: i32,
  y4: i32,
  y5: i32,
  kind: u32,
  act: u32,
  alpha: f32,
  beta: f32,
  aAt: u32,
  bAt: u32,
  yAt: u32,
}

struct Where {
  d0: u32,
  d1: u32,
  d2: u32,
  d3: u32,
  d4: u32,
  d5: u32,
  c0: i32,
  c1: i32,
  c2: i32,
  c3: i32,
  c4: i32,
  c5: i32,
  a0: i32,
  a1: i32,
  a2: i32,
  a3: i32,
  a4: i32,
  a5: i32,
  b0: i32,
  b1: i32,
  b2: i32,
  b3: i32,
  b4: i32,
  b5: i32,
  y0: i32,
  y1: i32,
  y2: i32,
  y3: i32,
  y4: i32,
  y5: i32,
  cAt: u32,
  aAt: u32,
  bAt: u32,
  yAt: u32,
}

@group(0) @binding(2) var<uniform> u: Unary;
@group(0) @binding(2) var<uniform> b: Binary;
@group(0) @binding(2) var<uniform> w: Where;

// Four adjacent elements, or one that stands for all four.
fn fetchQuad(at: u32, step: i32) -> vec4f {
  if (step == 0) {
    return vec4f(fetch(at));
  }
  return fetch4(at);
}

@compute @workgroup_size(64)
fn unary(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = listIndex(group, groups, local);
  if (at >= u.d0 * u.d1 * u.d2 * u.d3 * u.d4 * u.d5) {
    return;
  }
  let i = unravel(at, u.d1, u.d2, u.d3, u.d4, u.d5);
  let x = fetch(u.xAt + stepped(i, u.x0, u.x1, u.x2, u.x3, u.x4, u.x5));
  let y = activate(u.act, vec4f(x), vec4f(u.alpha), u.beta).x;
  store(u.yAt + stepped(i, u.y0, u.y1, u.y2, u.y3, u.y4, u.y5), y);
}

@compute @workgroup_size(64)
fn unary4(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = listIndex(group, groups, local) * 4;
  if (at >= u.d0 * u.d1 * u.d2 * u.d3 * u.d4 * u.d5) {
    return;
  }
  let i = unravel(at, u.d1, u.d2, u.d3, u.d4, u.d5);
  let x = fetchQuad(u.xAt + stepped(i, u.x0, u.x1, u.x2, u.x3, u.x4, u.x5), u.x5);
  store4(u.yAt + stepped(i, u.y0, u.y1, u.y2, u.y3, u.y4, u.y5), activate(u.act, x, vec4f(u.alpha), u.beta));
}

@compute @workgroup_size(64)
fn binary(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = listIndex(group, groups, local);
  if (at >= b.d0 * b.d1 * b.d2 * b.d3 * b.d4 * b.d5) {
    return;
  }
  let i = unravel(at, b.d1, b.d2, b.d3, b.d4, b.d5);
  let left = fetch(b.aAt + stepped(i, b.a0, b.a1, b.a2, b.a3, b.a4, b.a5));
  let right = fetch(b.bAt + stepped(i, b.b0, b.b1, b.b2, b.b3, b.b4, b.b5));
  let y = combined(b.kind, vec4f(left), vec4f(right));
  store(b.yAt + stepped(i, b.y0, b.y1, b.y2, b.y3, b.y4, b.y5), activate(b.act, y, vec4f(b.alpha), b.beta).x);
}

@compute @workgroup_size(64)
fn binary4(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = listIndex(group, groups, local) * 4;
  if (at >= b.d0 * b.d1 * b.d2 * b.d3 * b.d4 * b.d5) {
    return;
  }
  let i = unravel(at, b.d1, b.d2, b.d3, b.d4, b.d5);
  let left = fetchQuad(b.aAt + stepped(i, b.a0, b.a1, b.a2, b.a3, b.a4, b.a5), b.a5);
  let right = fetchQuad(b.bAt + stepped(i, b.b0, b.b1, b.b2, b.b3, b.b4, b.b5), b.b5);
  let y = combined(b.kind, left, right);
  store4(b.yAt + stepped(i, b.y0, b.y1, b.y2, b.y3, b.y4, b.y5), activate(b.act, y, vec4f(b.alpha), b.beta));
}

@compute @workgroup_size(64)
fn choose(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = listIndex(group, groups, local);
  if (at >= w.d0 * w.d1 * w.d2 * w.d3 * w.d4 * w.d5) {
    return;
  }
  let i = unravel(at, w.d1, w.d2, w.d3, w.d4, w.d5);
  let chosen = fetch(w.cAt + stepped(i, w.c0, w.c1, w.c2, w.c3, w.c4, w.c5));
  let left = fetch(w.aAt + stepped(i, w.a0, w.a1, w.a2, w.a3, w.a4, w.a5));
  let right = fetch(w.bAt + stepped(i, w.b0, w.b1, w.b2, w.b3, w.b4, w.b5));
  store(w.yAt + stepped(i, w.y0, w.y1, w.y2, w.y3, w.y4, w.y5), select(right, left, chosen != 0));
}

@compute @workgroup_size(64)
fn choose4(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = listIndex(group, groups, local) * 4;
  if (at >= w.d0 * w.d1 * w.d2 * w.d3 * w.d4 * w.d5) {
    return;
  }
  let i = unravel(at, w.d1, w.d2, w.d3, w.d4, w.d5);
  let chosen = fetchQuad(w.cAt + stepped(i, w.c0, w.c1, w.c2, w.c3, w.c4, w.c5), w.c5);
  let left = fetchQuad(w.aAt + stepped(i, w.a0, w.a1, w.a2, w.a3, w.a4, w.a5), w.a5);
  let right = fetchQuad(w.bAt + stepped(i, w.b0, w.b1, w.b2, w.b3, w.b4, w.b5), w.b5);
  store4(w.yAt + stepped(i, w.y0, w.y1, w.y2, w.y3, w.y4, w.y5), select(right, left, chosen != vec4f()));
}
