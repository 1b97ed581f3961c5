// The taps of a window along one axis: from the first inside the input to behind the last, and to behind the last
// inside the padding.
struct Taps {
  start: i32,
  first: u32,
  end: u32,
  padded: u32,
}

fn tapsOf(window: u32, stride: u32, before: u32, dilation: u32, kernel: u32, size: u32, behind: u32) -> Taps {
  let start = i32(window * stride) - i32(before);
  return Taps(
    start,
    tapsBefore(0, start, dilation, kernel),
    tapsBefore(i32(size), start, dilation, kernel),
    tapsBefore(i32(size + behind), start, dilation, kernel)
  );
}

// How many taps of a window lie before `position`.
fn tapsBefore(position: i32, start: i32, dilation: u32, kernel: u32) -> u32 {
  return min(u32(max(position - start + i32(dilation) - 1, 0)) / dilation, kernel);
}
