// docs/lectures.md is true: its commands print the lines that it quotes, its programs what stands behind them, its formulas come
// to their numbers, and there is no number that none of these gives.
import { execFileSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { explained, explanationText } from '../../cli/report/explain.js'
import { layersOf, layerTable, originalGraph } from '../../cli/report/layers.js'
import { zoo } from '../../models/index.js'
import { resultOf } from '../support/formula.js'
import { type Block, guides } from '../support/markdown.js'

const test = suite('lectures')
const page = guides.find(({ path }) => path === 'docs/lectures.md')!

/** What `cairn inspect --layers --explain` prints of a network of the zoo, but for its head. */
function inspected(name: string): string {
  const graph = originalGraph(zoo[name].build({ batch: 1 }), {})
  const layers = layersOf(graph, {}, new Map())
  return `${layerTable(layers)}\n\n${explanationText(explained(graph, layers, {}))}`
}

/** What the commands of a block print: those that write a network of the zoo and inspect it. */
function printed({ text }: Block): string {
  const [first, second, ...others] = text.split('\n')
  const [, name, file] = /^npx cairn zoo (\S+) -o (\S+)$/.exec(first) ?? []
  assert.ok(name && zoo[name], first)
  assert.is(second, `npx cairn inspect ${file} --layers --explain`)
  assert.equal(others, [])
  return inspected(name)
}

/** Everything that commands and programs print. */
const outputs: string[] = []

page.blocks.forEach((block, i) => {
  const [language] = block.words
  const quoted = page.blocks[i + 1]?.text
  if (language === 'text') return
  assert.is(page.blocks[i + 1]?.words[0], 'text', block.text)
  if (language === 'js')
    test(`the program that begins with ${block.text.split('\n')[0]} prints what is quoted`, () => {
      const output = execFileSync(process.execPath, ['--input-type=module', '-e', block.text], { encoding: 'utf8' })
      assert.is(output.trimEnd(), quoted)
      outputs.push(output)
    })
  else
    test(`${block.text.split('\n')[0]}, and what is quoted of it`, () => {
      assert.is(language, 'sh')
      const output = printed(block)
      const lines = output.split('\n')
      for (const line of quoted.split('\n')) {
        const isThere = line.endsWith('…')
          ? lines.some(other => other.startsWith(line.slice(0, -1)))
          : lines.includes(line)
        assert.ok(isThere, `no such line: ${line}`)
      }
      outputs.push(output)
    })
})

const numberOf = (text: string) => Number(text.replaceAll(',', ''))

/** Formulas in the text, as `formula = number`. */
const equations = [...page.prose.join('\n').matchAll(/`([^`]*[+−·/][^`]*) = ([\d,]+)`/g)]

test('every formula of the text comes to its number', () => {
  for (const [, formula, value] of equations) assert.is(resultOf(formula), numberOf(value), formula)
  assert.ok(equations.length > 60, `${equations.length} formulas`)
})

/** What papers and slides say, which nothing here can give. */
const theirs = [
  ...['003', '337.3', '38.6', '207.55', '34.4'], // lecture 003
  ...['1,516', '60', '24', '93', '358'], // LeNet's paper, AlexNet's, and slides
  '58' // 60,950,432 bytes in MiB
]

test('every number of the text is printed, or worked out', () => {
  assert.is(Math.round(60_950_432 / 2 ** 20), 58)
  const all = /(?<![\w.-])\d[\d,]*(?:\.\d+)?/g
  const numbers = (text: string) => [...text.matchAll(all)].map(([found]) => numberOf(found.replace(/,$/, '')))
  const known = new Set(
    [...outputs.join('\n').matchAll(/\d[\d,]*(?:\.\d+)?/g)].map(([found]) => numberOf(found.replace(/,$/, '')))
  )
  for (const [, formula, value] of equations)
    for (const each of [formula, value]) for (const number of numbers(each)) known.add(number)
  for (const number of theirs) known.add(numberOf(number))
  const prose = page.prose.filter(line => !line.startsWith('#')).join('\n')
  const strange = numbers(prose).filter(number => !known.has(number) && number > 3)
  assert.equal(strange, [])
})

test.run()
