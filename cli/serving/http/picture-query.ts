import { imageOptions, type Preparation, preparationOf } from '../../pictures/index.js'
import { Flags, longName, UsageError } from '../../terminal/index.js'
import { invalid } from '../protocol/index.js'

/** What a query may say of a picture beside `top`: how the model expects it, as the flags of `cairn run` do. */
const names = new Map(imageOptions.map(option => [longName(option), option.value === undefined]))

export interface PictureQuery {
  readonly count: number
  readonly prepare: Preparation
}

/** Throws an error of status 400 for what no picture has. */
export function pictureQuery({ top = '5', ...query }: Readonly<Record<string, unknown>>): PictureQuery {
  if (!/^[1-9]\d{0,3}$/.test(String(top))) throw invalid('top is a whole number from 1 to 9999')
  const given: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(query)) {
    const isSwitch = names.get(name)
    if (isSwitch === undefined)
      throw invalid(`no parameter "${name.slice(0, 40)}"; top, ${[...names.keys()].join(', ')} are allowed`)
    if (isSwitch && value !== '' && value !== 'true') throw invalid(`${name} is a switch: ${name}=true is allowed`)
    given[name] = isSwitch || value
  }
  try {
    return { count: Number(top), prepare: preparationOf(new Flags(given)) }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    throw invalid(error.message.replaceAll('--', ''))
  }
}
