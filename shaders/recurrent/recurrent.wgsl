// The steps of recurrent layers: a workgroup for an image in one direction goes through all of them. Its states lie in scratch
// memory, the old and the new beside each other, so that all invocations see the old ones for as long as they need them.
struct Recurrent {
  gates: u32,
  steps: u32,
  batch: u32,
  size: u32,
  directions: u32,
  first: u32,
  end: u32,
  backward: u32,
  late: u32,
  coupled: u32,
  peeped: u32,
  counted: u32,
  begun: u32,
  charged: u32,
  clip: f32,
  act0: u32,
  act1: u32,
  act2: u32,
  alpha0: f32,
  alpha1: f32,
  alpha2: f32,
  beta0: f32,
  beta1: f32,
  beta2: f32,
  xAt: u32,
  wAt: u32,
  biasAt: u32,
  peepholeAt: u32,
  lengthsAt: u32,
  h0At: u32,
  c0At: u32,
  yAt: u32,
  hAt: u32,
  cAt: u32,
  scratchAt: u32,
}

@group(0) @binding(2) var<uniform> p: Recurrent;

// Layers are told by how many gates they have.
const GRU: u32 = 3;
const LSTM: u32 = 4;
// Behind the activations: alpha tanh(beta x).
const SCALED_TANH: u32 = 46;

fn bent(kind: u32, v: vec4f, alpha: f32, beta: f32) -> vec4f {
  if (kind == SCALED_TANH) {
    return alpha * activate(TANH, v * beta, vec4f(), 0);
  }
  return activate(kind, v, vec4f(alpha), beta);
}

fn opened(v: vec4f) -> vec4f {
  return bent(p.act0, clamp(v, vec4f(-p.clip), vec4f(p.clip)), p.alpha0, p.beta0);
}

fn wanted(v: f32) -> f32 {
  return bent(p.act1, vec4f(clamp(v, -p.clip, p.clip)), p.alpha1, p.beta1).x;
}

// Row `i` of a gate's recurrent weights times the state at `from_`.
fn timesState(d: u32, gate: u32, i: u32, from_: u32) -> f32 {
  let panel = (d * p.gates + gate) * ((p.size + 7) / 8) + i / 8;
  let at = p.wAt + panel * p.size * 8 + (i & 7);
  var sum = 0.0;
  for (var k = 0u; k < p.size; k++) {
    sum += load(from_ + k) * weight(at + k * 8);
  }
  return sum;
}

fn peephole(d: u32, gate: u32, i: u32, cell: f32) -> f32 {
  if (p.peeped == 0) {
    return 0;
  }
  return fetch(p.peepholeAt + (d * 3 + gate) * p.size + i) * cell;
}

var<workgroup> stepsOfAll: u32;

@compute @workgroup_size(64)
fn recurrent(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let item = groupIndex(group, groups);
  if (item >= (p.end - p.first) * p.batch) {
    return;
  }
  let d = p.first + item / p.batch;
  let n = item % p.batch;
  if (local == 0) {
    stepsOfAll = p.steps;
    if (p.counted != 0) {
      stepsOfAll = u32(clamp(fetch(p.lengthsAt + n), 0, f32(p.steps)));
    }
  }
  let length = workgroupUniformLoad(&stepsOfAll);
  let size = p.size;
  let room = p.scratchAt + item * size * 5;
  let cells = room + 2 * size;
  let kept = room + 3 * size;
  let shares = room + 4 * size;
  let state = (d * p.batch + n) * size;
  for (var i = local; i < size; i += 64) {
    var hidden = 0.0;
    if (p.begun != 0) {
      hidden = fetch(p.h0At + state + i);
    }
    store(room + i, hidden);
    var cell = 0.0;
    if (p.charged != 0) {
      cell = fetch(p.c0At + state + i);
    }
    store(cells + i, cell);
  }
  storageBarrier();
  for (var s = 0u; s < length; s++) {
    let t = select(s, length - 1 - s, d >= p.backward);
    let at = (t * p.batch + n) * p.directions + d;
    let x = p.xAt + at * p.gates * size;
    let old = room + (s & 1) * size;
    let new_ = room + ((s + 1) & 1) * size;
    if (p.gates == GRU) {
      for (var i = local; i < size; i += 64) {
        let update = fetch(x + i) + timesState(d, 0, i, old);
        let reset = fetch(x + size + i) + timesState(d, 1, i, old);
        let both = opened(vec4f(update, reset, 0, 0));
        store(shares + i, both.x);
        store(kept + i, both.y * load(old + i));
        if (p.late != 0) {
          store(kept + i, both.y * (timesState(d, 2, i, old) + fetch(p.biasAt + d * size + i)));
        }
      }
      storageBarrier();
    }
    for (var i = local; i < size; i += 64) {
      var hidden = 0.0;
      if (p.gates == GRU) {
        var sum = fetch(x + 2 * size + i);
        if (p.late != 0) {
          sum += load(kept + i);
        } else {
          sum += timesState(d, 2, i, kept);
        }
        hidden = mix(wanted(sum), load(old + i), load(shares + i));
      } else if (p.gates == LSTM) {
        let cell = load(cells + i);
        let taken = fetch(x + i) + timesState(d, 0, i, old) + peephole(d, 0, i, cell);
        let forget = fetch(x + 2 * size + i) + timesState(d, 2, i, old) + peephole(d, 2, i, cell);
        let both = opened(vec4f(taken, forget, 0, 0));
        let share = select(both.y, 1 - both.x, p.coupled != 0);
        let next = share * cell + both.x * wanted(fetch(x + 3 * size + i) + timesState(d, 3, i, old));
        let given = fetch(x + size + i) + timesState(d, 1, i, old) + peephole(d, 1, i, next);
        hidden = opened(vec4f(given)).x * bent(p.act2, vec4f(next), p.alpha2, p.beta2).x;
        store(cells + i, next);
      } else {
        hidden = opened(vec4f(fetch(x + i) + timesState(d, 0, i, old))).x;
      }
      store(new_ + i, hidden);
      store(p.yAt + at * size + i, hidden);
    }
    storageBarrier();
  }
  let last = room + (length & 1) * size;
  for (var i = local; i < size; i += 64) {
    for (var t = length; t < p.steps; t++) {
      store(p.yAt + ((t * p.batch + n) * p.directions + d) * size + i, 0);
    }
    store(p.hAt + state + i, load(last + i));
    if (p.gates == LSTM) {
      store(p.cAt + state + i, load(cells + i));
    }
  }
}
