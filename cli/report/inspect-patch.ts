import { decodePatch, type ImagePreparation, type Patch } from '../../train/index.js'
import { about } from '../model/index.js'
import { type Flags, facts, print, printJson, shape, size, table, UsageError } from '../terminal/index.js'

/** `cairn inspect head.patch`: what was trained, for which model, and how its images were prepared. */
export async function inspectPatch(path: string, bytes: Uint8Array, flags: Flags): Promise<void> {
  const given = ['layers', 'memory'].find(name => flags.has(name)) ?? (flags.text('plot') && 'plot')
  if (given) throw new UsageError(`--${given}: ${path} is a patch; a model has layers and memory`)
  const patch = await about(path, () => decodePatch(bytes))
  const tensors = patch.tensors.map(({ name, shape, data, uses }) => ({
    name,
    shape,
    parameters: data.length,
    layers: uses.map(({ node }) => node)
  }))
  const parameters = tensors.reduce((sum, each) => sum + each.parameters, 0)
  const { classes, cut, shapes, preparation } = patch
  const backbone = patch.backbone.toString(16).padStart(8, '0')
  if (flags.has('json'))
    return printJson({ patch: path, backbone, classes, cut, shapes, preparation, parameters, tensors })
  print(
    facts([
      ['patch', `${path}, ${size(bytes.length)}`],
      ['of the model with digest', backbone],
      ['classes', `${classes.length}: ${classes.join(', ')}`],
      ['trained', trainedText(patch)],
      ['parameters', parameters.toLocaleString('en-US')],
      ['images', preparation ? preparationText(preparation) : 'the patch does not say how they became inputs']
    ])
  )
  const rows = tensors.map(each => [each.name, shape(each.shape), String(each.parameters), each.layers.join(', ')])
  print(`\n${table(['tensor', 'shape', 'parameters', 'read by'], rows, ['left', 'left', 'right', 'left'])}`)
}

function trainedText({ cut }: Patch): string {
  const blocks = cut.trained ? ` and the last ${cut.trained} of ${cut.blocks} blocks` : ''
  return `a new head on "${cut.features}"${cut.pooled ? ', averaged over its maps' : ''}${blocks}`
}

function preparationText({ channels, scale, mean, std, fit, resize, size }: ImagePreparation): string {
  const fits = {
    crop: `the centre cut out${resize ? ` of images resized to ${resize}` : ''}`,
    stretch: 'stretched',
    pad: 'padded with grey'
  }
  const numbers = (list: readonly number[]) => list.map(value => Number(value.toPrecision(6))).join(', ')
  const sizes = size ? `, to ${size.join('×')}` : ''
  return `${channels}, (byte × ${Number(scale.toPrecision(6))} − (${numbers(mean)})) / (${numbers(std)}), ${fits[fit]}${sizes}`
}
