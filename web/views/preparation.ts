import { byId, option } from '../dom.js'
import type { Guess } from '../model/guess.js'
import { short } from '../numbers.js'
import { fitKinds, numbersOf, type PicturePort, type Preparation, sizes, valueKinds } from '../photo/prepare.js'

/** How the photo becomes the model's input: the guess, and four lists to say otherwise. */
const list = (id: keyof Preparation) => byId<HTMLSelectElement>(id)

export function startPreparation(changed: (preparation: Preparation) => void, guessAgain: () => void): void {
  list('values').append(...Object.entries(valueKinds).map(([key, { label }]) => option(key, label)))
  list('channels').append(option('RGB', 'red, green, blue'), option('BGR', 'blue, green, red'))
  list('fit').append(...Object.entries(fitKinds).map(([key, label]) => option(key, label)))
  list('size').append(...sizes.map(size => option(String(size), `${size} pixels`)))
  for (const id of ['values', 'channels', 'fit', 'size'] as const) list(id).onchange = () => changed(chosen())
  byId('guess-again').onclick = guessAgain
}

function chosen(): Preparation {
  return {
    values: read('values'),
    channels: read('channels'),
    fit: read('fit'),
    size: read('size')
  }
}

/** Names stand for themselves; numbers of a model's own are an option of theirs, as JSON. */
function read<K extends keyof Preparation>(id: K): Preparation[K] {
  const { value } = list(id)
  return (/^[[{\d]/.test(value) ? JSON.parse(value) : value) as Preparation[K]
}

function write<K extends keyof Preparation>(
  id: K,
  value: Preparation[K],
  label: (value: Preparation[K]) => string
): void {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  for (const own of list(id).querySelectorAll('[data-own]')) own.remove()
  if (![...list(id).options].some(each => each.value === text)) {
    const own = option(text, label(value))
    own.dataset.own = ''
    list(id).append(own)
  }
  list(id).value = text
}

function valuesLabel(values: Preparation['values']): string {
  const { scale, mean, std } = numbersOf(values)
  const of = (all: readonly number[]) => all.map(short).join(', ')
  const factor = Math.abs(scale * 255 - 1) < 1e-6 ? '1/255' : short(scale)
  return `bytes × ${factor}, mean ${of(mean)}, deviation ${of(std)}`
}

const fitLabel = (fit: Preparation['fit']) => (typeof fit === 'string' ? fit : `Centre of ${fit.resize} pixels`)
const sizeLabel = (size: Preparation['size']) => (typeof size === 'number' ? `${size} pixels` : `${size[1]}×${size[0]}`)

export function showPreparation(
  preparation: Preparation,
  { preparation: guessed, why }: Guess,
  port: PicturePort
): void {
  const { values, channels, fit, size } = preparation
  write('values', values, valuesLabel)
  write('channels', channels, String)
  write('fit', fit, fitLabel)
  write('size', size, sizeLabel)
  byId('size-field').hidden = port.height !== undefined && port.width !== undefined
  list('channels').disabled = port.channels === 1
  const own = JSON.stringify(preparation) !== JSON.stringify(guessed)
  byId('guess').textContent = own ? '(as you say)' : `(guessed ${why})`
  byId<HTMLButtonElement>('guess-again').disabled = !own
}
