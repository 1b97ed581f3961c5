/** Numbers as people read them. */
const whole = new Intl.NumberFormat('en')
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })
const share = new Intl.NumberFormat('en', { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 })
const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'].map(
  unit => new Intl.NumberFormat('en', { style: 'unit', unit, maximumSignificantDigits: 3 })
)

export const count = (value: number) => whole.format(value)
export const rough = (value: number) => compact.format(value)
export const percent = (value: number) => share.format(value)
export const shape = (dims: readonly (number | string)[]) => (dims.length ? dims.join('×') : 'scalar')
export const plural = (value: number, what: string, many = `${what}s`) => `${count(value)} ${value === 1 ? what : many}`

export function bytes(value: number): string {
  const unit = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(value, 1)) / 3))
  return units[unit].format(value / 1000 ** unit)
}

export function ms(value: number): string {
  return value < 1000 ? `${value.toFixed(value < 10 ? 2 : 1)} ms` : `${(value / 1000).toFixed(2)} s`
}

/** Four significant digits of whatever magnitude. */
export const short = (value: number) => (Number.isFinite(value) ? String(+value.toPrecision(4)) : String(value))

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
