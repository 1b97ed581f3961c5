/** What a file is by its first bytes, where it is not what was asked for. */
export interface FileKind {
  readonly name: string
  /** What its first bytes look like, one character a byte. */
  readonly pattern: RegExp
  /** With its article, and what to do about it. */
  readonly what: string
}

/** What most often stands in a model's place; compiler/kinds.ts knows more. */
export const standIns: readonly FileKind[] = [
  {
    name: 'html',
    pattern: /^\s*<(!doctype html|html|head|body)/i,
    what: 'an HTML page, which servers send in place of what they do not have'
  },
  {
    name: 'git-lfs',
    pattern: /^version https:\/\/git-lfs/,
    what: 'a Git LFS pointer; "git lfs pull" fetches the file itself'
  },
  { name: 'tflite', pattern: /^.{4}TFL3/s, what: 'a TensorFlow Lite model; tf2onnx (--tflite) makes ONNX of it' },
  { name: 'zip', pattern: /^PK\x03\x04/, what: 'a zip archive; unpack it first' }
]

/** Bytes that tell what a file is. */
export const telling = 512

export function kindAmong(kinds: readonly FileKind[], bytes: Uint8Array): FileKind | undefined {
  const text = String.fromCharCode(...bytes.subarray(0, telling))
  return kinds.find(({ pattern }) => pattern.test(text))
}
