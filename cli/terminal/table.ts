/** Text for people: aligned columns, sizes and counts. */
export type Align = 'left' | 'right'

/** Rows under a header, columns padded to their widest cell; `right` columns hold numbers. */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  align: readonly Align[]
): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map(row => row[column].length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (align[i] === 'right' ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join('  ')
      .trimEnd()
  return [line(header), widths.map(width => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}

/** `name   value` lines. */
export function facts(entries: readonly (readonly [string, string])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length))
  return entries.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n')
}

export const count = (value: number) => value.toLocaleString('en-US')

export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const unit = Math.min(3, Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** unit).toFixed(bytes / 1024 ** unit < 100 ? 1 : 0)} ${['B', 'KiB', 'MiB', 'GiB'][unit]}`
}

/** Multiply-accumulates and the like: `4.09 G`. */
export function scaled(value: number): string {
  const unit = value < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(value) / 3))
  return unit ? `${(value / 1000 ** unit).toFixed(2)} ${' kMG'[unit]}` : String(value)
}

/** A number of no fixed magnitude in four significant digits. */
export function short(value: number): string {
  return Number.isFinite(value) ? String(+value.toPrecision(4)) : String(value)
}

export const shape = (dims: readonly (number | string)[]) => (dims.length ? dims.join('×') : 'scalar')

export function escapeXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')
}
