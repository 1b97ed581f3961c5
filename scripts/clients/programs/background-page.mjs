import { removeBackground } from '@imgly/background-removal'

export default async place => {
  const publicPath = place('../modules/@imgly/background-removal-data/dist/')
  const picture = await removeBackground(place('photo.png'), { model: 'medium', publicPath, proxyToWorker: false })
  const { width, height } = await createImageBitmap(picture)
  const context = new OffscreenCanvas(width, height).getContext('2d')
  context.drawImage(await createImageBitmap(picture), 0, 0)
  const { data } = context.getImageData(0, 0, width, height)
  let text = ''
  for (let i = 3; i < data.length; i += 4) text += String.fromCharCode(data[i])
  return { bytes: btoa(text) }
}
