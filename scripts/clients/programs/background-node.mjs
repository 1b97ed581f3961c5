import { pathToFileURL } from 'node:url'
import { removeBackground } from '@imgly/background-removal-node'
import sharp from 'sharp'

export default async place => {
  const masks = {}
  for (const model of ['small', 'medium']) {
    const picture = await removeBackground(pathToFileURL(place('photo.png')).href, { model })
    const alpha = sharp(Buffer.from(await picture.arrayBuffer())).extractChannel('alpha')
    masks[model] = { bytes: (await alpha.raw().toBuffer()).toString('base64') }
  }
  return masks
}
