import { fileURLToPath } from 'node:url'
import { openData } from '../cli/train/index.js'
import { readArguments } from './command/arguments.js'
import { nameOf, type Places, recipes, trainedOf } from './int8/networks.js'

const here = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const { values, positionals } = readArguments('npm run bench:accuracy', {
  shared: here('../shared'),
  fashion: '/usr/share/datasets/fashion-mnist',
  cache: here('.cache/accuracy')
})
const signs = await openData(`${values.shared}/data/sign-digits.tar`)
process.once('exit', signs.cleanUp)
const fashion = await openData(values.fashion!)
const places: Places = {
  models: `${values.shared}/models`,
  cache: values.cache!,
  pictures: { 'sign digits': signs.pictures, 'Fashion-MNIST': fashion.pictures }
}
for (const recipe of recipes) {
  if (positionals.length && !positionals.some(part => nameOf(recipe).includes(part))) continue
  await trainedOf(recipe, places)
}
