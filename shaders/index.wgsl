// The position of an invocation in a list that one dimension of workgroups may be too short for.
fn listIndex(group: vec3u, groups: vec3u, local: u32) -> u32 {
  return (group.y * groups.x + group.x) * 64 + local;
}
