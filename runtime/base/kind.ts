/** What most often stands in a model's place, by its first bytes, one character each; compiler/onnx/kinds.ts has the other kinds. */
export const standIns = {
  html: [/^\s*<(!doctype html|html)/i, 'an HTML page; check its address'],
  'git-lfs': [/^version https:\/\/git-lfs/, 'a Git LFS pointer; "git lfs pull" fetches the file'],
  tflite: [/^.{4}TFL3/s, 'a TensorFlow Lite model'],
  zip: [/^PK\x03\x04/, 'a zip archive']
} as const

/** Bytes that tell what a file is. */
export const telling = 512

export const beginning = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(0, telling))

/** What the file is, with its article, where it is one of these. */
export function standIn(bytes: Uint8Array): string | undefined {
  const text = beginning(bytes)
  return Object.values(standIns).find(([pattern]) => pattern.test(text))?.[1]
}
