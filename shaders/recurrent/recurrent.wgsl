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

// Vectors of scratch memory: two states, the cell, and what rounds leave for those behind them.
const SLOTS: u32 = 7;

// Function `which` of the three; what goes into the first two is clipped. Called in one place: compilers copy it to every other.
fn bent(which: u32, v: vec4f) -> vec4f {
  let kinds = vec3u(p.act0, p.act1, p.act2);
  let alphas = vec3f(p.alpha0, p.alpha1, p.alpha2);
  let betas = vec3f(p.beta0, p.beta1, p.beta2);
  let kind = kinds[which];
  let scaled = kind == SCALED_TANH;
  var taken = select(clamp(v, vec4f(-p.clip), vec4f(p.clip)), v, which == 2);
  if (scaled) {
    taken *= betas[which];
  }
  let y = activate(select(kind, TANH, scaled), taken, vec4f(alphas[which]), betas[which]);
  return select(y, y * alphas[which], scaled);
}

// Row `i` of the recurrent weights of the gates `first` .. `end` - 1 times the state at `from_`, by gate.
fn timesState(d: u32, first: u32, end: u32, i: u32, from_: u32) -> vec4f {
  var sums = vec4f();
  for (var gate = first; gate < end; gate++) {
    let panel = (d * p.gates + gate) * ((p.size + 7) / 8) + i / 8;
    let at = p.wAt + panel * p.size * 8 + (i & 7);
    var sum = 0.0;
    for (var k = 0u; k < p.size; k++) {
      sum += load(from_ + k) * weight(at + k * 8);
    }
    sums[gate] = sum;
  }
  return sums;
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
  let room = p.scratchAt + item * size * SLOTS;
  let cells = room + 2 * size;
  let kept = room + 3 * size;
  let shares = room + 4 * size;
  let outward = room + 5 * size;
  let inward = room + 6 * size;
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
  // Each round applies one function: of an LSTM to what is taken in and forgotten, to the cell's input, to the result's gate, to
  // the cell; of a GRU to update and reset, then to the state.
  let rounds = select(select(1u, 2u, p.gates == GRU), 4u, p.gates == LSTM);
  for (var s = 0u; s < length; s++) {
    let t = select(s, length - 1 - s, d >= p.backward);
    let at = (t * p.batch + n) * p.directions + d;
    let x = p.xAt + at * p.gates * size;
    let old = room + (s & 1) * size;
    let new_ = room + ((s + 1) & 1) * size;
    for (var round = 0u; round < rounds; round++) {
      for (var i = local; i < size; i += 64) {
        let early = p.gates == GRU && p.late == 0;
        var sums = vec4f();
        if (round == 0 || (early && round == 1)) {
          let end = p.gates - u32(early && round == 0);
          sums = timesState(d, round * 2, end, i, select(old, kept, round == 1));
        }
        var v = vec4f();
        var which = 0u;
        if (p.gates == LSTM) {
          let cell = load(cells + i);
          if (round == 0) {
            v.x = fetch(x + i) + sums.x + peephole(d, 0, i, cell);
            v.y = fetch(x + 2 * size + i) + sums.z + peephole(d, 2, i, cell);
            store(outward + i, fetch(x + size + i) + sums.y);
            store(inward + i, fetch(x + 3 * size + i) + sums.w);
          } else if (round == 1) {
            v.x = load(inward + i);
            which = 1;
          } else if (round == 2) {
            v.x = load(outward + i) + peephole(d, 1, i, cell);
          } else {
            v.x = cell;
            which = 2;
          }
        } else if (round == 0) {
          v.x = fetch(x + i) + sums.x;
          if (p.gates == GRU) {
            v.y = fetch(x + size + i) + sums.y;
          }
        } else {
          v.x = fetch(x + 2 * size + i) + select(load(kept + i), sums.z, early);
          which = 1;
        }
        let y = bent(which, v);
        var hidden = y.x;
        if (p.gates == LSTM) {
          if (round == 0) {
            store(kept + i, y.x);
            store(shares + i, select(y.y, 1 - y.x, p.coupled != 0));
          } else if (round == 1) {
            store(cells + i, load(shares + i) * load(cells + i) + load(kept + i) * y.x);
          } else if (round == 2) {
            store(kept + i, y.x);
          }
          hidden = load(kept + i) * y.x;
        } else if (p.gates == GRU) {
          if (round == 0) {
            store(shares + i, y.x);
            var reset = load(old + i);
            if (p.late != 0) {
              reset = sums.z + fetch(p.biasAt + d * size + i);
            }
            store(kept + i, y.y * reset);
          }
          hidden = mix(y.x, load(old + i), load(shares + i));
        }
        if (round + 1 == rounds) {
          store(new_ + i, hidden);
          store(p.yAt + at * size + i, hidden);
        }
      }
      storageBarrier();
    }
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
