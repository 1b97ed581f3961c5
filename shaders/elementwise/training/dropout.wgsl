// Elements become 0 with a probability, the others grow; which ones is a hash, the bits of compiler/ops/elementwise/dropout.ts.
struct Dropout {
  count: u32,
  salt: u32,
  threshold: u32,
  scale: f32,
  xAt: u32,
  seedAt: u32,
  yAt: u32,
}

@group(0) @binding(2) var<uniform> p: Dropout;

fn finalise(bits: u32) -> u32 {
  let a = (bits ^ (bits >> 16)) * 0x85ebca6b;
  let b = (a ^ (a >> 13)) * 0xc2b2ae35;
  return b ^ (b >> 16);
}

@compute @workgroup_size(64)
fn dropout(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = listIndex(group, groups, local);
  if (i >= p.count) {
    return;
  }
  let hash = finalise((i * 0x9e3779b9) ^ finalise(finalise(u32(i32(load(p.seedAt)))) ^ p.salt)) >> 1;
  store(p.yAt + i, select(load(p.xAt + i) * p.scale, 0.0, hash < p.threshold));
}
