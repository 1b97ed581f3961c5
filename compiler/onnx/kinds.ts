import { beginning, standIns } from '../../runtime/base/index.js'

/** What a file is by its first bytes, where it is not what was asked for. */
export interface FileKind {
  /** A short name, as `jpeg`. */
  readonly name: string
  /** What its first bytes look like, one character a byte. */
  readonly pattern: RegExp
  /** With its article, and what to do about it. */
  readonly what: string
}

/**
 * The one table of files that are given in place of others, by their first bytes. ONNX has no mark of its own, so what is
 * not in here may be a model. The first row that fits counts: special ones stand in front of those that hold them.
 */
const models: readonly FileKind[] = [
  { name: 'cairn', pattern: /^CARN/, what: 'a compiled .cairn file' },
  { name: 'patch', pattern: /^CRNT.{8}.patch/s, what: 'a head patch of cairn train, which goes with --patch' },
  { name: 'checkpoint', pattern: /^CRNT/, what: 'a checkpoint of cairn train, which goes with --resume' },
  {
    name: 'pytorch',
    pattern: /^PK\x03\x04.*data\.pkl|^\x80.\x8a\nl\xfc\x9cF\xf9/s,
    what: 'a PyTorch file; torch.onnx.export writes ONNX'
  },
  { name: 'pickle', pattern: /^\x80[\x02-\x05]/, what: 'a Python pickle; torch.onnx.export or skl2onnx write ONNX' },
  {
    name: 'keras',
    pattern: /^PK\x03\x04.*(?:model\.weights\.h5|keras)/s,
    what: 'a Keras model; tf2onnx makes ONNX of it'
  },
  {
    name: 'npz',
    pattern: /^PK\x03\x04.{26}[^\0]*\.npy/s,
    what: 'an .npz archive of arrays; single .npy files are read'
  },
  { name: 'hdf5', pattern: /^\x89HDF\r\n/, what: 'an HDF5 file, perhaps of Keras; tf2onnx makes ONNX of Keras models' },
  {
    name: 'saved-model',
    pattern: /^\x08\x01\x12[\x80-\xff]*[\0-\x7f]\n/,
    what: "a TensorFlow SavedModel or a Core ML model; tf2onnx (--saved-model) makes ONNX of TensorFlow's"
  },
  {
    name: 'core-ml',
    pattern: /^\x08[\x02-\x0f]\x12[\x80-\xff]*[\0-\x7f]\n/,
    what: 'a Core ML model; export ONNX from where it was trained'
  },
  {
    name: 'graph-def',
    pattern: /^\n[\x80-\xff]*[\0-\x7f]\n.[\w./-]+\x12.(?:Const|Placeholder|NoOp|VarHandleOp)/s,
    what: 'a TensorFlow graph; tf2onnx (--graphdef) makes ONNX of it'
  },
  {
    name: 'tensor',
    pattern: /^(?:\x08[\x80-\xff]*[\0-\x7f])*\x10[\x01-\x17](?:[JBR2"*:Z]|$)/,
    what: 'a single ONNX tensor (TensorProto), which --input takes'
  },
  {
    name: 'tfjs',
    pattern: /^\s*\{.*"(?:modelTopology|weightsManifest|layers-model|graph-model)"/s,
    what: 'a TensorFlow.js model; make ONNX, with tf2onnx, of the model that it was converted from'
  },
  {
    name: 'safetensors',
    pattern: /^.{6}\0\0\{\s*"/s,
    what: 'safetensors, weights without a network; export the model that they belong to as ONNX'
  },
  {
    name: 'gguf',
    pattern: /^GGUF|^GGML|^lmgg/,
    what: 'weights of a language model (GGUF); ONNX networks are compiled'
  },
  {
    name: 'ort',
    pattern: /^.{4}ORTM/s,
    what: "a model in onnxruntime's .ort format; give the .onnx that it was made from"
  },
  {
    name: 'openvino',
    pattern: /^\s*(?:<\?xml[^>]*>\s*)?<net /,
    what: 'an OpenVINO model; export ONNX from its source'
  },
  { name: 'ncnn', pattern: /^7767517\s/, what: 'an ncnn model; export ONNX from its source' },
  { name: 'tensorrt', pattern: /^(?:ptrt|ftrt)/, what: 'a TensorRT engine; give the ONNX that it was built from' }
]

const pictures: readonly FileKind[] = [
  { name: 'jpeg', pattern: /^\xff\xd8\xff/, what: 'a JPEG image' },
  { name: 'png', pattern: /^\x89PNG\r\n/, what: 'a PNG image' },
  { name: 'gif', pattern: /^GIF8[79]a/, what: 'a GIF image' },
  { name: 'webp', pattern: /^RIFF.{4}WEBP/s, what: 'a WebP image' },
  { name: 'avif', pattern: /^.{4}ftypavi[fs]|^.{4}ftypmi[fs]1.{4}.{0,32}avif/s, what: 'an AVIF image' },
  { name: 'heic', pattern: /^.{4}ftyp(?:he[iv][cmsx]|mi[fs]1|msf1)/s, what: 'a HEIC image; save it as JPEG' },
  { name: 'tiff', pattern: /^(?:II\*\0|MM\0\*|II\+\0|MM\0\+)/, what: 'a TIFF image' },
  { name: 'bmp', pattern: /^BM.{4}\0{4}/s, what: 'a BMP image' },
  { name: 'jpeg-xl', pattern: /^\xff\n|^\0\0\0\x0cJXL /, what: 'a JPEG XL image; save it as JPEG or PNG' },
  {
    name: 'jpeg-2000',
    pattern: /^\0\0\0\x0cjP {2}|^\xff\x4f\xff\x51/,
    what: 'a JPEG 2000 image; save it as JPEG or PNG'
  },
  { name: 'ico', pattern: /^\0\0\x01\0[\x01-\x20]\0/, what: 'an icon; save it as PNG' },
  { name: 'psd', pattern: /^8BPS/, what: 'a Photoshop file; save it as JPEG or PNG' },
  {
    name: 'svg',
    pattern: /^\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*(?:<!DOCTYPE svg[^>]*>\s*)?<svg/s,
    what: 'an SVG drawing; save it as PNG'
  },
  { name: 'video', pattern: /^.{4}ftyp|^\x1a\x45\xdf\xa3|^RIFF.{4}AVI /s, what: 'a video; cut pictures out of it' }
]

const others: readonly FileKind[] = [
  { name: 'empty', pattern: /^$/, what: 'an empty file' },
  { name: 'npy', pattern: /^\x93NUMPY/, what: 'a NumPy array (.npy), which --input takes' },
  { name: 'wasm', pattern: /^\0asm/, what: 'a WebAssembly module' },
  { name: 'pdf', pattern: /^%PDF/, what: 'a PDF document' },
  { name: 'gzip', pattern: /^\x1f\x8b/, what: 'a gzip archive; gunzip unpacks it' },
  { name: 'xz', pattern: /^\xfd7zXZ/, what: 'an xz archive; unpack it first' },
  { name: 'bzip2', pattern: /^BZh[1-9]1AY/, what: 'a bzip2 archive; unpack it first' },
  { name: 'zstd', pattern: /^\x28\xb5\x2f\xfd/, what: 'a zstd archive; unpack it first' },
  { name: '7z', pattern: /^7z\xbc\xaf\x27\x1c/, what: 'a 7z archive; unpack it first' },
  { name: 'rar', pattern: /^Rar!\x1a/, what: 'a rar archive; unpack it first' },
  { name: 'tar', pattern: /^.{257}ustar/s, what: 'a tar archive; unpack it first' },
  {
    name: 'xml',
    pattern: /^\s*<\?xml/,
    what: 'an XML file, perhaps the answer of a server that does not have the file'
  },
  { name: 'json', pattern: /^\s*(?:\{\s*"|\[\s*[[{"\d])/, what: 'a JSON file' },
  { name: 'zeros', pattern: /^\0{64}/, what: 'zeros where it begins, perhaps a download that was not finished' },
  { name: 'text', pattern: /^(?:\xef\xbb\xbf)?[\t\n\r -~]+$/, what: 'a text file' }
]

const advice: Readonly<Record<string, string>> = {
  tflite: '; tf2onnx (--tflite) makes ONNX of it',
  zip: '; unpack it first'
}
const usual: readonly FileKind[] = Object.entries(standIns).map(([name, [pattern, what]]) => ({
  name,
  pattern,
  what: what + (advice[name] ?? '')
}))
const kinds = [...models, ...pictures, ...usual, ...others]

/** What a file is by its first 512 bytes, where that is known; undefined for ONNX and whatever is not in the table. */
export function kindOf(bytes: Uint8Array): FileKind | undefined {
  const text = beginning(bytes)
  return kinds.find(({ pattern }) => pattern.test(text))
}
