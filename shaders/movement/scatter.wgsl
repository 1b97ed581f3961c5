// Lines of `size` elements take `count` updates each where their indices say. Negative indices count from the end; what is
// still outside is left out. Loops k go over lines.
struct Scatter {
  kind: u32,
  size: u32,
  count: u32,
  iStep: u32,
  uStep: u32,
  yStep: u32,
  k0: u32,
  k1: u32,
  k2: u32,
  k3: u32,
  i0: u32,
  i1: u32,
  i2: u32,
  i3: u32,
  u0: u32,
  u1: u32,
  u2: u32,
  u3: u32,
  y0: u32,
  y1: u32,
  y2: u32,
  y3: u32,
  indicesAt: u32,
  updatesAt: u32,
  yAt: u32,
}

@group(0) @binding(2) var<uniform> p: Scatter;

const SCATTER_NONE: u32 = 0;
const SCATTER_ADD: u32 = 1;
const SCATTER_MUL: u32 = 2;
const SCATTER_MAX: u32 = 3;
const SCATTER_MIN: u32 = 4;

fn combined(old: f32, update: f32) -> f32 {
  switch (p.kind) {
    case SCATTER_ADD: {
      return old + update;
    }
    case SCATTER_MUL: {
      return old * update;
    }
    case SCATTER_MAX: {
      return max(old, update);
    }
    case SCATTER_MIN: {
      return min(old, update);
    }
    default: {
      return update;
    }
  }
}

// Where a line begins in indices, updates and output.
fn lineAt(line: u32) -> vec3u {
  let at = unravel(line, vec4u(p.k0, p.k1, p.k2, p.k3));
  return vec3u(p.indicesAt, p.updatesAt, p.yAt) + vec3u(
    dot(at, vec4u(p.i0, p.i1, p.i2, p.i3)),
    dot(at, vec4u(p.u0, p.u1, p.u2, p.u3)),
    dot(at, vec4u(p.y0, p.y1, p.y2, p.y3))
  );
}

// Update `j` of the line.
fn apply(line: vec3u, j: u32) {
  let given = i32(fetch(line.x + j * p.iStep));
  let index = select(given, given + i32(p.size), given < 0);
  if (index < 0 || index >= i32(p.size)) {
    return;
  }
  let to = line.z + u32(index) * p.yStep;
  store(to, combined(load(to), fetch(line.y + j * p.uStep)));
}

// A line each, its updates in order.
@compute @workgroup_size(64)
fn scatter(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local);
  if (i >= p.k0 * p.k1 * p.k2 * p.k3) {
    return;
  }
  let line = lineAt(i);
  for (var j = 0u; j < p.count; j++) {
    apply(line, j);
  }
}

// An update each, where no two have one place.
@compute @workgroup_size(64)
fn scatterEach(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local);
  let lines = p.k0 * p.k1 * p.k2 * p.k3;
  if (i >= lines * p.count) {
    return;
  }
  apply(lineAt(i % lines), i / lines);
}
