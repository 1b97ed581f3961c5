import { byId, option } from '../dom.js'
import type { Guess } from '../guess.js'
import { fitKinds, type PicturePort, type Preparation, sizes, valueKinds } from '../prepare.js'

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
    values: list('values').value as Preparation['values'],
    channels: list('channels').value as Preparation['channels'],
    fit: list('fit').value as Preparation['fit'],
    size: Number(list('size').value)
  }
}

export function showPreparation(
  preparation: Preparation,
  { preparation: guessed, why }: Guess,
  port: PicturePort
): void {
  const { values, channels, fit, size } = preparation
  list('values').value = values
  list('channels').value = channels
  list('fit').value = fit
  list('size').value = String(size)
  byId('size-field').hidden = port.height !== undefined && port.width !== undefined
  list('channels').disabled = port.channels === 1
  const own = JSON.stringify(preparation) !== JSON.stringify(guessed)
  byId('guess').textContent = own ? '(as you say)' : `(guessed ${why})`
  byId<HTMLButtonElement>('guess-again').disabled = !own
}
