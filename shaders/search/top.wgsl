// The largest scores of each row, best first, equal ones by index; as they are, or as softmax makes them.
struct Top {
  rows: u32,
  count: u32,
  wanted: u32,
  softmax: u32,
}

struct Scored {
  score: f32,
  index: u32,
}

@group(0) @binding(0) var<storage, read> scores: array<Element>;
@group(0) @binding(1) var<uniform> p: Top;
@group(0) @binding(2) var<storage, read_write> best: array<Scored>;

const NOTHING = Scored(-0x1.fffffep+127f, 0xffffffff);

var<workgroup> candidates: array<Scored, 256>;
var<workgroup> sums: array<f32, 256>;

fn isBetter(a: Scored, b: Scored) -> bool {
  return a.score > b.score || (a.score == b.score && a.index < b.index);
}

@compute @workgroup_size(256)
fn top(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = group.y * groups.x + group.x;
  if (index >= p.rows) {
    return;
  }
  let row = index * p.count;
  let steps = (p.count + 255) / 256;
  // Every score is worse than what stands before the first.
  var last = Scored(0x1.fffffep+127f, 0);
  var largest = 0.0;
  var total = 1.0;
  for (var i = 0u; i < p.wanted; i++) {
    var own = NOTHING;
    for (var step = 0u; step < steps; step++) {
      let at = step * 256 + local;
      if (at < p.count) {
        let found = Scored(f32(scores[row + at]), at);
        if (isBetter(found, own) && (i == 0 || isBetter(last, found))) {
          own = found;
        }
      }
    }
    candidates[local] = own;
    for (var width = 128u; width > 0; width >>= 1) {
      workgroupBarrier();
      if (local < width && isBetter(candidates[local + width], candidates[local])) {
        candidates[local] = candidates[local + width];
      }
    }
    workgroupBarrier();
    last = candidates[0];
    workgroupBarrier();
    if (i == 0 && p.softmax != 0) {
      largest = last.score;
      var sum = 0.0;
      for (var step = 0u; step < steps; step++) {
        let at = step * 256 + local;
        if (at < p.count) {
          sum += exp(f32(scores[row + at]) - largest);
        }
      }
      sums[local] = sum;
      for (var width = 128u; width > 0; width >>= 1) {
        workgroupBarrier();
        if (local < width) {
          sums[local] += sums[local + width];
        }
      }
      workgroupBarrier();
      total = sums[0];
    }
    if (local == 0) {
      let score = select(last.score, exp(last.score - largest) / total, p.softmax != 0);
      best[index * p.wanted + i] = Scored(score, last.index);
    }
  }
}
