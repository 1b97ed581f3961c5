// Bytes in words.

// Four elements as a word, whatever is in those that count for nothing.
fn packed(v: vec4f) -> u32 {
  return dot(vec4u(v) & vec4u(255), vec4u(1, 256, 65536, 16777216));
}

// Four numbers from -128 to 127.
fn unpacked(word: u32) -> vec4i {
  return vec4i(vec4u(word) << vec4u(24, 16, 8, 0)) >> vec4u(24);
}
