// A picture to a model's input: resized bilinearly with a support that grows with the reduction (as runtime/tensor/image.ts and
// Pillow do, without rounding to bytes between), cut, and brought to (byte * scale - mean) / std.
struct Image {
  // Source pixels from one output pixel to the next, and where the first output pixel lies.
  stepX: f32,
  stepY: f32,
  left: f32,
  top: f32,
  width: u32,
  height: u32,
  channels: u32,
  channelsLast: u32,
  scale: vec4f,
  shift: vec4f,
  // Which of R, G, B and A each channel is; 4 is grey.
  order: vec4u,
}

@group(0) @binding(0) var picture: texture_2d<f32>;
@group(0) @binding(1) var<uniform> p: Image;
@group(0) @binding(2) var<storage, read_write> pixels: array<Element>;

struct Taps {
  first: i32,
  end: i32,
  centre: f32,
  support: f32,
}

fn tapsAt(position: f32, step: f32, size: u32) -> Taps {
  let support = max(step, 1);
  let first = max(i32(trunc(position - support + 0.5)), 0);
  return Taps(first, min(i32(trunc(position + support + 0.5)), i32(size)), position, support);
}

fn weightOf(at: i32, taps: Taps) -> f32 {
  return max(0, 1 - abs((f32(at) - taps.centre + 0.5) / taps.support));
}

@compute @workgroup_size(8, 8)
fn image(@builtin(global_invocation_id) at: vec3u) {
  if (at.x >= p.width || at.y >= p.height) {
    return;
  }
  let size = textureDimensions(picture);
  let columns = tapsAt(p.left + (f32(at.x) + 0.5) * p.stepX, p.stepX, size.x);
  let rows = tapsAt(p.top + (f32(at.y) + 0.5) * p.stepY, p.stepY, size.y);
  var sum = vec4f();
  var total = 0.0;
  for (var y = rows.first; y < rows.end; y++) {
    for (var x = columns.first; x < columns.end; x++) {
      let weight = weightOf(y, rows) * weightOf(x, columns);
      sum += weight * textureLoad(picture, vec2i(x, y), 0);
      total += weight;
    }
  }
  let colour = sum / total * 255;
  let grey = dot(colour.rgb, vec3f(0.299, 0.587, 0.114));
  for (var c = 0u; c < p.channels; c++) {
    let own = select(colour[p.order[c] & 3], grey, p.order[c] == 4);
    let value = own * p.scale[c] + p.shift[c];
    let planar = (c * p.height + at.y) * p.width + at.x;
    let packed = (at.y * p.width + at.x) * p.channels + c;
    pixels[select(planar, packed, p.channelsLast != 0)] = narrow(vec4f(value)).x;
  }
}
