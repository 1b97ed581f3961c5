// Boxes of each class, best score first, of which none overlaps a better one by more than `overlap` of what both cover.
// `lines` are the classes of all images; each has room for `most` in `picked`, and its number in `counts`.
struct Nms {
  lines: u32,
  classes: u32,
  boxes: u32,
  most: u32,
  centered: u32,
  limited: u32,
  overlap: f32,
  limit: f32,
  cornersAt: u32,
  scoresAt: u32,
  pickedAt: u32,
  countsAt: u32,
  scratchAt: u32,
}

@group(0) @binding(2) var<uniform> p: Nms;

// Lower corner, then higher corner.
fn extentOf(at: u32) -> vec4f {
  let front = vec2f(fetch(at), fetch(at + 1));
  let back = vec2f(fetch(at + 2), fetch(at + 3));
  if (p.centered != 0) {
    return vec4f(front - back / 2, front + back / 2);
  }
  return vec4f(min(front, back), max(front, back));
}

fn areaOf(extent: vec4f) -> f32 {
  let sides = extent.zw - extent.xy;
  return sides.x * sides.y;
}

fn overlaps(a: vec4f, b: vec4f) -> bool {
  let meet = vec4f(max(a.xy, b.xy), min(a.zw, b.zw));
  if (!all(meet.zw > meet.xy)) {
    return false;
  }
  let inner = areaOf(meet);
  let covered = areaOf(a) + areaOf(b) - inner;
  return areaOf(a) > 0 && areaOf(b) > 0 && covered > 0 && inner / covered > p.overlap;
}

const WIDTH = 256u;
const NONE = 0xffffffffu;
// Scores of boxes that are out, and the least of all others.
const OUT = -0x1.fffffep+127f;
const LEAST = -0x1.fffffcp+127f;

struct Best {
  score: f32,
  box: u32,
}

var<workgroup> bests: array<Best, 256>;
var<workgroup> chosen: u32;

fn better(a: Best, b: Best) -> Best {
  if (b.score > a.score || (b.score == a.score && b.box < a.box)) {
    return b;
  }
  return a;
}

// A workgroup for a class: each turn takes out what the last choice overlaps and finds the best of what is left.
@compute @workgroup_size(256)
fn nms(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let line = groupIndex(group, groups);
  if (line >= p.lines) {
    return;
  }
  let corners = p.cornersAt + (line / p.classes) * p.boxes * 4;
  let left = p.scratchAt + line * p.boxes;
  for (var box = local; box < p.boxes; box += WIDTH) {
    let score = fetch(p.scoresAt + line * p.boxes + box);
    let wanted = select(score == score, score > p.limit, p.limited != 0);
    store(left + box, select(OUT, max(score, LEAST), wanted));
  }
  var last = NONE;
  var found = 0u;
  for (; found < p.most; found++) {
    var best = Best(OUT, NONE);
    for (var box = local; box < p.boxes; box += WIDTH) {
      let score = load(left + box);
      if (!(score > OUT)) {
        continue;
      }
      if (last != NONE && (box == last || overlaps(extentOf(corners + box * 4), extentOf(corners + last * 4)))) {
        store(left + box, OUT);
      } else {
        best = better(best, Best(score, box));
      }
    }
    bests[local] = best;
    for (var width = 1u; width < WIDTH; width <<= 1) {
      workgroupBarrier();
      if (local % (2 * width) == 0) {
        bests[local] = better(bests[local], bests[local + width]);
      }
    }
    if (local == 0) {
      chosen = bests[0].box;
    }
    last = workgroupUniformLoad(&chosen);
    if (last == NONE) {
      break;
    }
    if (local == 0) {
      store(p.pickedAt + line * p.most + found, f32(last));
    }
  }
  if (local == 0) {
    store(p.countsAt + line, f32(found));
  }
}
