/** What a recogniser of text has read, and how far that is from what was written. */

/** A recogniser's probabilities, one row a step, as text: repeated letters once, blanks (class 0) not at all. */
export function readText(
  scores: Float32Array,
  classes: number,
  letters: readonly string[]
): { text: string; score: number } {
  let text = ''
  let before = 0
  const sure: number[] = []
  for (let step = 0; step < scores.length; step += classes) {
    let best = 0
    for (let c = 1; c < classes; c++) if (scores[step + c] > scores[step + best]) best = c
    if (best && best !== before) {
      text += letters[best - 1] ?? ' '
      sure.push(scores[step + best])
    }
    before = best
  }
  return { text, score: sure.reduce((a, b) => a + b, 0) / Math.max(sure.length, 1) }
}

/** Letters to insert, delete or replace (Levenshtein 1966), row by row of the table of Wagner and Fischer 1974. */
export function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i)
  for (const [i, letter] of [...from].entries()) {
    const above = row
    row = [i + 1]
    for (let j = 0; j < to.length; j++)
      row.push(Math.min(above[j + 1] + 1, row[j] + 1, above[j] + Number(letter !== to[j])))
  }
  return row[to.length]
}
