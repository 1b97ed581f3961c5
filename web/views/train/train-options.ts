import { byId, el } from '../../dom.js'
import type { LessonOptions, Studied } from '../../engine/protocol.js'
import { plural } from '../../numbers.js'

/** How a model learns: good for a few dozen photos as it stands, folded away. */
const input = (id: string) => byId<HTMLInputElement>(id)

/** On where nobody has said otherwise: what hardly ever makes another thing of a photo. */
const usual = ['flip', 'shift', 'scale', 'brightness']

export function startOptions(changed: () => void): void {
  for (const id of ['epochs', 'learning-rate', 'unfreeze', 'augmentations'])
    byId(id).oninput = () => {
      describe()
      changed()
    }
}

/** For a model that has been looked at. */
export function showOptions({ blocks, augmentations }: Studied): void {
  const range = input('unfreeze')
  range.max = String(blocks)
  range.disabled = blocks === 0
  if (!boxes().length)
    byId('augmentations').append(
      ...augmentations.map(({ name, help }) =>
        el(
          'label',
          { className: 'choice' },
          el('input', { type: 'checkbox', value: name, checked: usual.includes(name) }),
          el('span', {}, name, el('small', { className: 'muted' }, help))
        )
      )
    )
  describe()
}

export function chosenOptions(): LessonOptions {
  return {
    epochs: input('epochs').valueAsNumber,
    learningRate: Number(byId<HTMLSelectElement>('learning-rate').value),
    unfreeze: input('unfreeze').valueAsNumber,
    augmentations: boxes()
      .filter(({ checked }) => checked)
      .map(({ value }) => value)
      .join()
  }
}

/** Why the options cannot be taken, if so. */
export function optionsRefusal(): string | undefined {
  const { epochs } = chosenOptions()
  return Number.isInteger(epochs) && epochs >= 1 && epochs <= 1000 ? undefined : 'Epochs go from 1 to 1000.'
}

const boxes = () => [...byId('augmentations').querySelectorAll('input')]

function describe(): void {
  const { epochs, unfreeze, augmentations } = chosenOptions()
  const blocks = Number(input('unfreeze').max)
  const which = unfreeze === 0 ? 'none' : unfreeze === blocks ? `all ${blocks}` : `the last ${unfreeze} of ${blocks}`
  byId('unfreeze-label').textContent = `Blocks that learn too: ${which}`
  const learns = unfreeze === 0 ? 'new layer alone' : `${plural(unfreeze, 'block')} too`
  const names = augmentations ? augmentations.replaceAll(',', ', ') : 'photos as they are'
  byId('train-chosen').textContent = `(${epochs || '?'} epochs, ${learns}, ${names})`
}
