/** Dense and grouped convolution and its transpose; see compiler/ops/conv/conv.ts for the parameter block. */
@unmanaged
export class ConvParams {
  batch: u32
  groups: u32
  channels: u32
  filters: u32
  inD: u32
  inH: u32
  inW: u32
  outD: u32
  outH: u32
  outW: u32
  kernelD: u32
  kernelH: u32
  kernelW: u32
  strideD: u32
  strideH: u32
  strideW: u32
  padD: u32
  padH: u32
  padW: u32
  dilationD: u32
  dilationH: u32
  dilationW: u32
  xN: u32
  xD: u32
  xH: u32
  xW: u32
  yN: u32
  yD: u32
  yH: u32
  yW: u32
  rN: u32
  rD: u32
  rH: u32
  rW: u32
  residual: u32
  act: u32
  alpha: f32
  beta: f32
  tiles: u32
}

/** Whether there is one plane, with no padding in front of it. */
export function isFlat(p: ConvParams): bool {
  return p.kernelD == 1 && p.inD == 1 && p.outD == 1 && p.padD == 0
}
