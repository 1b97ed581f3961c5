import { byId, download } from '../../dom.js'
import { codeFor, type Form, labelsFile, needsLabelsFile, type Used } from '../../model/code.js'
import { announce, showFailure } from '../status.js'

/** The open model as a few lines for a program of the reader's own. */
let shown: Used | undefined

export function showCode(used: Used | undefined): void {
  shown = used
  byId('no-code').hidden = used !== undefined
  byId('code-work').hidden = used === undefined
  if (!used) return
  const text = codeFor(used, byId<HTMLSelectElement>('code-form').value as Form)
  // A live camera changes nothing of it.
  if (byId('code-text').textContent !== text) byId('code-text').textContent = text
  const needed = needsLabelsFile(used)
  byId('save-labels').hidden = !needed
  byId('code-files').textContent = `Beside it: ${[used.file, ...(needed ? [labelsFile(used)] : [])].join(' and ')}.`
}

async function copy(): Promise<void> {
  try {
    await navigator.clipboard.writeText(byId('code-text').textContent!)
    announce('Copied')
    byId('copy-code').textContent = 'Copied'
    setTimeout(() => (byId('copy-code').textContent = 'Copy'), 2000)
  } catch {
    showFailure(new Error('the browser did not let the page copy: select the lines and copy them'))
  }
}

byId('code-form').onchange = () => showCode(shown)
byId('copy-code').onclick = () => void copy()
byId('save-model').onclick = () => byId('save').click()
byId('save-labels').onclick = () => {
  if (shown) download(labelsFile(shown), new Blob([JSON.stringify(shown.result.labels)], { type: 'application/json' }))
}
