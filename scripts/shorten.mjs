// Makes WGSL small for the download: texts without comments and needless spaces, in which what a shader declares for itself has a
// short name. Names that the runtime knows stay: of files, entry points, overrides, and parameter blocks with their fields.

const tokenPattern = /0x[\da-fA-F]+u?|(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?[uif]?|[A-Za-z_]\w*|[^\s\w]/g

/** Tokens of a text, each with whether a space stands in front of it. */
function tokensOf(text) {
  let end = 0
  return [...text.replace(/\/\/.*$/gm, '').matchAll(tokenPattern)].map(({ 0: token, index }) => {
    const spaced = index > end
    end = index + token.length
    return { token: token.replace(/^0(?=\.\d)/, ''), spaced }
  })
}

/** Where the bracket that opens at or behind `from` closes. */
function closing(tokens, from, open, close) {
  let depth = 0
  for (let i = tokens.indexOf(open, from); ; i++) {
    if (tokens[i] === open) depth++
    if (tokens[i] === close && --depth === 0) return i
  }
}

/** The name that `var` at `i` declares, behind its address space. */
const variableAt = (tokens, i) => tokens[tokens[i + 1] === '<' ? tokens.indexOf('>', i) + 1 : i + 1]

/** Where functions and structs of a file begin and end. */
function partsOf(tokens) {
  const parts = []
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i] !== 'fn' && tokens[i] !== 'struct') continue
    const body = tokens.indexOf('{', i)
    const end = closing(tokens, body, '{', '}')
    parts.push({ kind: tokens[i], begin: i, body, end })
    i = end
  }
  return parts
}

/** What a file declares for all, and what of it the runtime knows. */
function outerNames(tokens, parts) {
  const names = []
  const known = []
  const inside = i => parts.some(({ body, end }) => i > body && i < end)
  tokens.forEach((token, i) => {
    if (inside(i)) return
    if (['fn', 'struct', 'alias', 'const'].includes(token)) names.push(tokens[i + 1])
    if (token === 'var') names.push(variableAt(tokens, i))
    if (token === 'override') known.push(tokens[i + 1])
    if (token === '@' && tokens[i + 1] === 'compute') known.push(tokens[tokens.indexOf('fn', i) + 1])
    // Words of attributes and address spaces.
    if (token === '@') known.push(tokens[i + 1], tokens[i + 3])
    if (token === 'var' && tokens[i + 1] === '<') known.push(...tokens.slice(i, tokens.indexOf('>', i)))
  })
  for (const { kind, begin, body, end } of parts)
    if (kind === 'struct' && tokens.slice(body, end).some(token => /\wAt$/.test(token))) known.push(tokens[begin + 1])
  return { names, known }
}

/** What a function declares for itself, its parameters first. */
function innerNames(tokens, { begin, body, end }) {
  const names = new Set()
  for (let i = begin + 2; i < end; i++) {
    if (i < body && tokens[i + 1] === ':') names.add(tokens[i])
    if (i > body && (tokens[i] === 'let' || tokens[i] === 'const')) names.add(tokens[i + 1])
    if (i > body && tokens[i] === 'var') names.add(variableAt(tokens, i))
  }
  return names
}

const lower = 'abcdefghijklmnopqrstuvwxyz'
const upper = lower.toUpperCase()
/** What WGSL reserves of so few letters. */
const reserved = ['as', 'do', 'fn', 'if', 'in', 'is', 'of']

/** Short names that begin with one of the letters `first`, the shortest first, for `names` in their order. */
function shortened(names, first, except) {
  const all = [...first].concat([...first].flatMap(a => [...lower, ...upper].map(b => a + b)))
  const free = all.filter(name => !except.has(name))
  return new Map([...names].map((name, i) => [name, free[i] ?? name]))
}

const isOperator = /^[-+&|<>=!*/%^]/

/** Tokens with the spaces that keep apart what would be read together. */
function joined(spaced, tokens) {
  let text = ''
  tokens.forEach((token, i) => {
    const words = /\w$/.test(text) && /^[\w.]/.test(token)
    const operators = isOperator.test(text.slice(-1)) && isOperator.test(token)
    text += (spaced[i] && (words || operators) ? ' ' : '') + token
  })
  return text.replace(/,(?=[)}])/g, '')
}

/** The texts by file, small; files may be joined in any way, because a name is short in the same way in all of them. */
export function shorten(texts) {
  const files = Object.entries(texts).map(([name, text]) => {
    const found = tokensOf(text)
    const tokens = found.map(({ token }) => token)
    return { name, tokens, spaced: found.map(({ spaced }) => spaced), parts: partsOf(tokens) }
  })
  const outer = files.map(({ tokens, parts }) => outerNames(tokens, parts))
  const known = new Set(outer.flatMap(file => file.known))
  const uses = new Map(outer.flatMap(({ names }) => names.filter(each => !known.has(each)).map(each => [each, 0])))
  for (const token of files.flatMap(({ tokens }) => tokens)) if (uses.has(token)) uses.set(token, uses.get(token) + 1)
  const byUse = [...uses.keys()].sort((a, b) => uses.get(b) - uses.get(a))
  const outerShort = shortened(byUse, upper, known)
  const except = new Set([...known, ...reserved])
  return Object.fromEntries(
    files.map(({ name, tokens, spaced, parts }) => {
      const renamed = [...tokens]
      const rename = (from, to, inner) => {
        for (let i = from; i <= to; i++) {
          const isMember = tokens[i - 1] === '.'
          // What is called is no variable.
          const own = tokens[i + 1] === '(' ? undefined : inner?.get(tokens[i])
          if (!isMember) renamed[i] = own ?? outerShort.get(tokens[i]) ?? tokens[i]
        }
      }
      rename(0, tokens.length - 1)
      for (const part of parts)
        if (part.kind === 'fn') rename(part.begin, part.end, shortened(innerNames(tokens, part), lower, except))
        else for (let i = part.body; i < part.end; i++) if (tokens[i + 1] === ':') renamed[i] = tokens[i]
      return [name, joined(spaced, renamed)]
    })
  )
}
