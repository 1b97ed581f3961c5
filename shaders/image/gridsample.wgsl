// Pixels of an image at the places that a grid names, from -1 to 1 across it or, where `corners` is 2, in pixels from the first;
// n and m are the sizes of the image and of the grid, rows first. A place outside is moved inside before its neighbours are looked up, but for cubic at a border.
struct GridSample {
  mode: u32,
  padding: u32,
  corners: u32,
  batch: u32,
  channels: u32,
  n0: u32,
  n1: u32,
  m0: u32,
  m1: u32,
  x0: u32,
  x1: u32,
  x2: u32,
  g0: u32,
  g1: u32,
  g2: u32,
  g3: u32,
  y0: u32,
  y1: u32,
  y2: u32,
  xAt: u32,
  gridAt: u32,
  yAt: u32,
}

@group(0) @binding(2) var<uniform> p: GridSample;

const NEAREST: u32 = 0;
const LINEAR: u32 = 1;
const IN_PIXELS: u32 = 2;
const ZEROS: u32 = 0;
const BORDER: u32 = 1;

// `at` folded back at the borders until it is between them.
fn reflected(at: f32, low: f32, high: f32) -> f32 {
  let range = high - low;
  let below = at < low;
  let beyond = select(at - high, low - at, below);
  if (range == 0) {
    return low;
  }
  if (!(beyond > 0)) {
    return at;
  }
  let folds = floor(beyond / range);
  let rest = beyond - folds * range;
  return select(high - rest, low + rest, below == (folds % 2 == 0));
}

// Keys' cubic convolution with a = -3/4, up to a distance of 1 and from there to 2.
fn near(z: f32) -> f32 {
  return (1.25 * z - 2.25) * z * z + 1;
}

fn far(z: f32) -> f32 {
  return ((-0.75 * z + 3.75) * z - 6) * z + 3;
}

// Positions near a place and their weights; those that count for zero have none.
struct Taps {
  at: vec4u,
  weights: vec4f,
}

fn tapsOf(place: f32, size: u32) -> Taps {
  let end = f32(size);
  let low = select(-0.5, 0.0, p.corners != 0);
  let high = end - select(0.5, 1.0, p.corners != 0);
  var at = select(((place + 1) * end - 1) / 2, (place + 1) / 2 * (end - 1), p.corners != 0);
  if (p.corners == IN_PIXELS) {
    at = place;
  }
  if (p.mode == NEAREST) {
    at = round(at);
  }
  if (at < low || at > high) {
    if (p.padding == BORDER && p.mode <= LINEAR) {
      at = clamp(at, 0, end - 1);
    } else if (p.padding > BORDER) {
      at = reflected(at, low, high);
    }
  }
  let whole = floor(at);
  let part = at - whole;
  var taps: Taps;
  if (p.mode == NEAREST) {
    taps.weights = vec4f(0, 1, 0, 0);
  } else if (p.mode == LINEAR) {
    taps.weights = vec4f(0, 1 - part, part, 0);
  } else {
    taps.weights = vec4f(far(part + 1), near(part), near(1 - part), far(2 - part));
  }
  for (var i = 0u; i < 4; i++) {
    var inside = whole + f32(i) - 1;
    if (inside < 0 || inside >= end) {
      if (p.padding == ZEROS) {
        taps.weights[i] = 0;
      } else if (p.padding != BORDER) {
        inside = reflected(inside, low, high);
      }
    }
    taps.at[i] = u32(clamp(inside, 0, end - 1));
  }
  return taps;
}

@compute @workgroup_size(64)
fn gridSample(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local) * LANES;
  if (i >= p.batch * p.m0 * p.m1 * p.channels) {
    return;
  }
  let channel = i % p.channels;
  let pixel = i / p.channels;
  let column = pixel % p.m1;
  let row = pixel / p.m1 % p.m0;
  let image = pixel / p.m1 / p.m0;
  let place = p.gridAt + image * p.g0 + row * p.g1 + column * p.g2;
  let down = tapsOf(fetch(place + p.g3), p.n0);
  let along = tapsOf(fetch(place), p.n1);
  var sum = vec4f();
  for (var r = 0u; r < 4; r++) {
    for (var c = 0u; c < 4; c++) {
      let share = down.weights[r] * along.weights[c];
      if (share != 0) {
        sum += share * fetchLanes(p.xAt + image * p.x0 + down.at[r] * p.x1 + along.at[c] * p.x2 + channel);
      }
    }
  }
  let to = p.yAt + image * p.y0 + row * p.y1 + column * p.y2 + channel;
  if (LANES == 4) {
    store4(to, sum);
  } else {
    store(to, sum.x);
  }
}
