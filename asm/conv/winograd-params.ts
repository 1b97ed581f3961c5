/** What asm/conv/winograd.ts and winograd-transform.ts are called with. */
@unmanaged
export class WinogradParams {
  batch: u32
  groups: u32
  channels: u32
  filters: u32
  inH: u32
  inW: u32
  outH: u32
  outW: u32
  padH: u32
  padW: u32
  xN: u32
  xH: u32
  xW: u32
  yN: u32
  yH: u32
  yW: u32
  rN: u32
  rH: u32
  rW: u32
  residual: u32
  act: u32
  alpha: f32
  beta: f32
  tiles: u32
}
