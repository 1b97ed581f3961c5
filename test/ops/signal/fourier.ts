// DFT forwards and backwards along any axis, STFT with windows of all kinds, and the constants of audio.
import { type Case, c, given, one, scalar, within, x } from '../../support/cases/case.js'

const length = (value: number) => scalar(value, 'int64')
const window = (size: number) => within(c(size), 0.1, 1)

export const fourier: readonly Case[] = [
  one('DFT', 'DFT', [x(2, 10, 1)]),
  one('DFT of complex numbers', 'DFT', [x(2, 9, 2)]),
  one('DFT of one side', 'DFT', [x(2, 10, 1)], { onesided: 1 }),
  one('DFT of one side, an odd length', 'DFT', [x(2, 7, 1)], { onesided: 1 }),
  one('DFT backwards', 'DFT', [x(2, 10, 2)], { inverse: 1 }),
  one('DFT of another axis', 'DFT', [x(2, 3, 6, 1)], { axis: 2 }),
  one('DFT of the first axis', 'DFT', [x(6, 3, 2)], { axis: 0 }),
  one('DFT filled up', 'DFT', [x(2, 10, 1), length(16)]),
  one('DFT cut off', 'DFT', [x(2, 10, 2), length(6)]),
  one('DFT of free batches', 'DFT', [x('N', 8, 1)], {}, { bindings: [{ N: 1 }, { N: 4 }] }),
  one('DFT of an axis that is an input', 'DFT', [x(2, 3, 6, 1), undefined, length(-2)], { onesided: 1 }, { opset: 20 }),
  one('STFT', 'STFT', [x(2, 40, 1), length(4), window(16), length(16)]),
  one('STFT without a window', 'STFT', [x(2, 40, 1), length(5), undefined, length(12)]),
  one('STFT of both sides', 'STFT', [x(1, 40, 1), length(8), window(10)], { onesided: 0 }),
  one(
    'STFT of complex numbers',
    'STFT',
    [given([1, 2, 3, 4, 5, 6, 7, 8], [1, 4, 2]), length(2), undefined, length(2)],
    { onesided: 0 },
    { expected: { reason: 'onnxruntime reads beyond the signal', outputs: [[4, 6, -2, -2, 12, 14, -2, -2]] } }
  ),
  one('STFT with a window that a run brings', 'STFT', [x(2, 40, 1), length(4), within(x(16), 0.1, 1)]),
  one(
    'STFT of free sizes',
    'STFT',
    [x('N', 'T', 1), length(4), window(8)],
    {},
    {
      bindings: [
        { N: 1, T: 24 },
        { N: 3, T: 11 }
      ]
    }
  ),
  ...['HannWindow', 'HammingWindow', 'BlackmanWindow'].flatMap(op =>
    [0, 1].map(periodic =>
      one(
        `${op}, periodic ${periodic}`,
        op,
        [length(10)],
        { periodic },
        { next: [{ op: 'Mul', operands: [x(3, 10)] }] }
      )
    )
  ),
  one(
    'MelWeightMatrix',
    'MelWeightMatrix',
    [length(8), length(32), length(8000), scalar(20), scalar(3800)],
    {},
    { next: [{ op: 'MatMul', operands: [x(3, 17), 'previous'] }] }
  )
]
