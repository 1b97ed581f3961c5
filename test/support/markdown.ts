// What tests read of Markdown files: headings, links, and blocks of code.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './root.js'

export interface Block {
  /** Words behind the fence: the language, then what tests do with it. */
  readonly words: readonly string[]
  readonly text: string
}

export interface Page {
  /** From the checkout, with slashes. */
  readonly path: string
  readonly lines: readonly string[]
  readonly blocks: readonly Block[]
  /** Everything but blocks of code, line by line. */
  readonly prose: readonly string[]
  readonly headings: readonly string[]
  /** Targets of links and pictures. */
  readonly links: readonly string[]
}

function read(path: string): Page {
  const lines = readFileSync(join(root, path), 'utf8').trimEnd().split('\n')
  const blocks: Block[] = []
  const prose: string[] = []
  let block: { words: string[]; lines: string[] } | undefined
  for (const line of lines)
    if (line.startsWith('```')) {
      if (block) blocks.push({ words: block.words, text: block.lines.join('\n') })
      block = block ? undefined : { words: line.slice(3).split(' '), lines: [] }
    } else if (block) block.lines.push(line)
    else prose.push(line)
  const headings = prose.filter(line => /^#+ /.test(line)).map(line => line.replace(/^#+ /, ''))
  const text = prose.filter(line => !/^ {4}\S/.test(line)).join('\n')
  const links = [...text.replace(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map(match => match[1])
  return { path, lines, blocks, prose, headings, links }
}

const inFolder = (folder: string) =>
  readdirSync(join(root, folder))
    .filter(name => name.endsWith('.md'))
    .map(name => read(folder === '.' ? name : `${folder}/${name}`))

export const readme = read('README.md')
export const guides: readonly Page[] = inFolder('docs')
export const pages: readonly Page[] = [...inFolder('.'), ...guides, read('asm/README.md')]

/** A heading's anchor as GitHub makes it. */
export const anchorOf = (heading: string) =>
  heading
    .replace(/`|\*/g, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
    .replaceAll(' ', '-')
