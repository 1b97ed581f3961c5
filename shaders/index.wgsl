// The position of an invocation, or of a workgroup, in a list that one dimension of workgroups may be too short for.
fn listIndex(group: vec3u, groups: vec3u, local: u32) -> u32 {
  return groupIndex(group, groups) * 64 + local;
}

fn groupIndex(group: vec3u, groups: vec3u) -> u32 {
  return group.y * groups.x + group.x;
}
