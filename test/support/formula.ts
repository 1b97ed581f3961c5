/** The number that a formula of `inspect --explain` comes to. Throws for what is no formula. */
export function resultOf(formula: string): number {
  if (!/^[\d\s.()+−·/⌊⌋⌈⌉]+$/.test(formula)) throw new Error(`"${formula}" is no formula`)
  const code = formula
    .replaceAll('·', '*')
    .replaceAll('−', '-')
    .replaceAll('⌊', 'Math.floor(')
    .replaceAll('⌈', 'Math.ceil(')
    .replace(/[⌋⌉]/g, ')')
  return Function(`return ${code}`)()
}
