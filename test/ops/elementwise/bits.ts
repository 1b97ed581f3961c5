// Operators on the bits of whole numbers: every type that onnxruntime has them for, of both signs, with broadcasting, by constants.
import { type Case, given, one, scalar, typed, x } from '../../support/cases/case.js'
import type { DType } from '../../support/onnx/model.js'

/** All that is exact: the whole range of 8 and 16 bits, 24 bits of wider types. */
const ranges: Partial<Record<DType, [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
  uint32: [0, 2 ** 24 - 1],
  int32: [-(2 ** 24), 2 ** 24 - 1],
  int64: [-(2 ** 24), 2 ** 24 - 1],
  uint64: [0, 2 ** 24 - 1]
}
const types = Object.keys(ranges) as DType[]
const of = (dtype: DType, ...dims: (number | string)[]) => typed(x(...dims), dtype, ranges[dtype])
const bit = (name: string, op: string, operands: Case['operands'], attributes = {}, rest: object = {}) =>
  one(`${op}, ${name}`, op, operands, attributes, { opset: 18, ...rest })

const pairs = ['BitwiseAnd', 'BitwiseOr', 'BitwiseXor'].flatMap(op => [
  ...types.map(dtype => bit(dtype, op, [of(dtype, 3, 37), of(dtype, 3, 37)])),
  bit('with broadcasting', op, [of('int32', 2, 5, 1), of('int32', 7)]),
  bit('with a constant', op, [of('uint8', 4, 9), scalar(0b1011_0010, 'uint8')]),
  bit('of a free size', op, [of('int64', 'N', 6), of('int64', 'N', 6)], {}, { bindings: [{ N: 3 }, { N: 11 }] })
])

const nots = (['uint8', 'int8', 'uint16', 'int16', 'int32', 'int64'] as const).map(dtype =>
  bit(dtype, 'BitwiseNot', [of(dtype, 5, 13)])
)

const places = (dtype: DType, most: number, ...dims: number[]) => typed(x(...dims), dtype, [0, most])
const shifts = ['LEFT', 'RIGHT'].flatMap(direction => [
  ...(
    [
      ['uint8', 7],
      ['uint32', 31],
      ['uint64', 63]
    ] as const
  ).map(([dtype, most]) =>
    bit(`${direction} of ${dtype}`, 'BitShift', [of(dtype, 5, 40), places(dtype, most, 5, 40)], { direction })
  ),
  bit(`${direction} by a constant`, 'BitShift', [of('uint8', 3, 8), scalar(3, 'uint8')], { direction }),
  bit(`${direction} of a constant`, 'BitShift', [given([200, 7, 129], [3], 'uint8'), places('uint8', 7, 6, 3)], {
    direction
  })
])

export const bits: readonly Case[] = [...pairs, ...nots, ...shifts]
