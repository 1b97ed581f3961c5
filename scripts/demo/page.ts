import { type Picture, resize } from '../../runtime/tensor/index.js'

/** A page of text, drawn with a 5×7 dot font: an image for the demo that needs no download and no licence. */
export interface Line {
  readonly text: string
  readonly left: number
  readonly top: number
  /** Pixels a dot. */
  readonly scale: number
  readonly upsideDown?: boolean
}

/** Five columns a character from space to z, two hexadecimal digits a column, the lowest bit on top. */
const font = [
  '000000000000005f00000007000700147f147f14242a7f2a12231308646236495522500005030000001c2241000041221c00',
  '14083e081408083e080800503000000808080808006060000020100804023e5149453e00427f400042615149462141454b31',
  '1814127f1027454545393c4a49493001710905033649494936064949291e0036360000005636000008142241001414141414',
  '00412214080201510906324979413e7e1111117e7f494949363e414141227f4141221c7f494949417f090909013e4149497a',
  '7f0808087f00417f41002040413f017f081422417f404040407f020c027f7f0408107f3e4141413e7f090909063e4151215e',
  '7f09192946464949493101017f01013f4040403f1f2040201f3f4038403f631408146307087008076151494543007f414100',
  '02040810200041417f0004020102044040404040000102040020545454787f484444383844444420384444487f3854545418',
  '087e0901020c5252523e7f0804047800447d40002040443d007f1028440000417f40007c041804787c080404783844444438',
  '7c14141408081414187c7c080404084854545420043f4440203c4040207c1c2040201c3c4030403c44281028440c5050503c',
  '4464544c44'
].join('')

/** Ink at a column and row of a line's dots, 0 or 1; nothing around it. */
function dot(text: string, column: number, row: number): number {
  const letter = text.charCodeAt(Math.floor(column / 6)) - 32
  if (!(letter >= 0) || column % 6 === 5 || row < 0 || row > 6) return 0
  const at = (letter * 5 + (column % 6)) * 2
  return (Number.parseInt(font.slice(at, at + 2), 16) >> row) & 1
}

/** Ink between the dots' centres: bilinear, which joins diagonal neighbours to strokes. */
function inkAt(text: string, x: number, y: number): boolean {
  const [column, row] = [Math.floor(x), Math.floor(y)]
  const [right, down] = [x - column, y - row]
  const line = (r: number) => dot(text, column, r) * (1 - right) + dot(text, column + 1, r) * right
  return line(row) * (1 - down) + line(row + 1) * down > 0.45
}

/** Ink on lit paper; drawn at four times its size and reduced. */
export function drawPage(width: number, height: number, lines: readonly Line[]): Picture {
  const fine = 4
  const ink = new Uint8Array(width * fine * height * fine)
  for (const { text, left, top, scale, upsideDown } of lines) {
    const side = scale * fine
    const [wide, high] = [(text.length * 6 - 1) * side, 7 * side]
    for (let y = 0; y < high; y++)
      for (let x = 0; x < wide; x++) {
        if (!inkAt(text, (x + 0.5) / side - 0.5, (y + 0.5) / side - 0.5)) continue
        const [across, along] = upsideDown ? [wide - 1 - x, high - 1 - y] : [x, y]
        ink[(top * fine + along) * width * fine + left * fine + across] = 1
      }
  }
  const data = new Uint8Array(ink.length * 3)
  let noise = 1
  for (let y = 0, at = 0; y < height * fine; y++)
    for (let x = 0; x < width * fine; x++, at++) {
      noise = (Math.imul(noise, 1664525) + 1013904223) >>> 0
      const light = 1 - 0.25 * (x / (width * fine)) - 0.1 * (y / (height * fine)) + (noise / 2 ** 32 - 0.5) * 0.1
      const [r, g, b] = ink[at] ? [40, 44, 72] : [246, 240, 226]
      data.set([Math.min(r * light, 255), Math.min(g * light, 255), Math.min(b * light, 255)], at * 3)
    }
  return resize({ data, width: width * fine, height: height * fine }, width, height)
}
