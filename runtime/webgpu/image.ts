import { CairnError } from '../base/index.js'
import type { Stored } from '../file/index.js'
import {
  channelCount,
  channelsOf,
  type FitOptions,
  type FloatOptions,
  fitting,
  halfEven,
  type ImageSource,
  isPicture,
  ofChannel,
  type Picture,
  sizeOf
} from '../tensor/index.js'
import { dispatchTool, toolOf } from './device/tool.js'

/** Writes a picture, resized, cut and normalised, to a buffer of `channels × height × width` elements. */
export async function imageToBuffer(
  device: GPUDevice,
  target: GPUBuffer,
  element: Stored,
  source: ImageSource,
  options: FitOptions & FloatOptions
): Promise<void> {
  const { width, height, channels = 'RGB', layout = 'NCHW', scale = 1, mean = 0, std = 1 } = options
  const tool = await toolOf(device, 'image', element, 96)
  const size = sizeOf(source)
  const { wide, high } = fitting(size, options)
  const [stepX, stepY] = [size.width / wide, size.height / high]
  const words = new ArrayBuffer(96)
  const floats = new Float32Array(words)
  const whole = new Uint32Array(words)
  floats.set([stepX, stepY, halfEven((wide - width) / 2) * stepX, halfEven((high - height) / 2) * stepY])
  whole.set([width, height, channelCount(channels), Number(layout === 'NHWC')], 4)
  for (let c = 0; c < channelCount(channels); c++) {
    const [m, s] = [ofChannel(mean, c, 'mean', channels), ofChannel(std, c, 'std', channels)]
    floats[8 + c] = scale / s
    floats[12 + c] = -m / s
    whole[16 + c] = channels === 'GRAY' ? 4 : 'RGBA'.indexOf(channels[c])
  }
  const groups = [Math.ceil(width / 8), Math.ceil(height / 8), 1] as const
  const texture = textureOf(device, source, size)
  dispatchTool(device, tool, words, [texture.createView(), target], groups)
}

/** The last picture's texture, which the next fills again if it is as large: frames of a video make none. */
const textures = new WeakMap<GPUDevice, GPUTexture>()

function textureOf(device: GPUDevice, source: ImageSource, { width, height }: ReturnType<typeof sizeOf>): GPUTexture {
  const most = device.limits.maxTextureDimension2D
  if (Math.max(width, height) > most)
    throw new CairnError(`an image of ${width}×${height} is too large for this GPU; ${most}×${most} is allowed`)
  const bindingCopyTargetAndAttachment = 0x4 | 0x2 | 0x10
  const last = textures.get(device)
  const fits = last?.width === width && last.height === height
  const texture = fits
    ? last
    : device.createTexture({ size: [width, height], format: 'rgba8unorm', usage: bindingCopyTargetAndAttachment })
  if (!fits) last?.destroy()
  textures.set(device, texture)
  if (!isPicture(source)) {
    device.queue.copyExternalImageToTexture({ source: source as GPUCopyExternalImageSource }, { texture }, [
      width,
      height
    ])
    return texture
  }
  device.queue.writeTexture({ texture }, withAlpha(source), { bytesPerRow: width * 4 }, [width, height])
  return texture
}

function withAlpha(picture: Picture): Uint8Array<ArrayBuffer> {
  const step = channelsOf(picture)
  if (step === 4) return new Uint8Array(picture.data)
  const bytes = new Uint8Array(picture.width * picture.height * 4).fill(255)
  for (let i = 0, at = 0; i < picture.data.length; i += 3, at += 4) bytes.set(picture.data.subarray(i, i + 3), at)
  return bytes
}
