import { qualityOf } from '../../runtime/train/index.js'
import { count, escapeXml } from '../terminal/index.js'
import { percent } from './curves.js'

type Matrix = readonly (readonly number[])[]

/** Above this many classes the matrix is no picture any more; the table of classes remains. */
const mostDrawn = 100

/** Counts on a ground that deepens with their share of the row: blue where right, orange where wrong. */
export function confusionTable(classes: readonly string[], matrix: Matrix): string {
  if (classes.length > mostDrawn)
    return `<p>The matrix is not drawn: it has ${count(classes.length)} classes, and at most ${mostDrawn} can be read.</p>`
  const heads = classes.map(name => `<th scope="col" title="${escapeXml(name)}"><span>${escapeXml(name)}</span></th>`)
  const rows = classes.map((name, truth) => {
    const all = sum(matrix[truth])
    const cells = matrix[truth].map((times, said) => {
      if (!times) return truth === said ? '<td class="hit">0</td>' : '<td></td>'
      // Single mistakes stay visible beside hundreds of hits.
      const depth = ` style="--depth:${(0.15 + 0.85 * Math.sqrt(times / all)).toFixed(2)}"`
      if (truth === said) return `<td class="hit"${depth}>${times}</td>`
      return `<td${depth} title="${escapeXml(`${name}, taken for ${classes[said]}: ${times}`)}">${times}</td>`
    })
    return `<tr><th scope="row" title="${escapeXml(name)}">${escapeXml(name)}</th>${cells.join('')}</tr>`
  })
  const dense = classes.length > 24 ? ' dense' : ''
  return `<figure><figcaption>How many pictures of the class of a row were taken for the class of a column. Blue: right; orange: wrong; empty: none.</figcaption>
<div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix"><table class="confusion${dense}">
<thead><tr><th scope="col">true class</th>${heads.join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div></figure>`
}

/** Recall and precision, the worst recall first, and what each class is most often taken for. */
export function classTable(classes: readonly string[], matrix: Matrix): string {
  const figures = qualityOf(matrix).map(({ count: pictures, recall, precision }, i) => {
    const row = matrix[i]
    const wrong = row.map((times, said) => (said === i ? 0 : times))
    const most = Math.max(0, ...wrong)
    return {
      name: classes[i],
      pictures,
      recall,
      precision,
      takenFor: most ? `${classes[wrong.indexOf(most)]} (${count(most)})` : ''
    }
  })
  // Classes without pictures have no recall, and come last.
  figures.sort((a, b) => (Number.isNaN(a.recall) ? 2 : a.recall) - (Number.isNaN(b.recall) ? 2 : b.recall))
  const share = (value: number) =>
    Number.isNaN(value)
      ? '<td>–</td>'
      : `<td class="bar" style="--share:${percent(value).replace('\u00a0', '')}">${percent(value)}</td>`
  const rows = figures.map(
    ({ name, pictures, recall, precision, takenFor }) =>
      `<tr><th scope="row">${escapeXml(name)}</th><td>${count(pictures)}</td>${share(recall)}${share(precision)}<td>${escapeXml(takenFor)}</td></tr>`
  )
  const heads = ['class', 'pictures', 'recall', 'precision', 'most often taken for']
  return `<figure><figcaption>Recall is how many of a class were found; precision is how many of those that were taken for it are of it. The worst recall first.</figcaption>
<div class="scroll" tabindex="0" role="region" aria-label="Classes"><table class="figures classes">
<thead><tr>${heads.map(head => `<th scope="col">${head}</th>`).join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div></figure>`
}

const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0)
