import { printable } from './output'

/**
 * Returns a table: a line of titles, and a line for each row. The last column is not padded, so texts whose width on
 * the terminal is unknown belong there.
 */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [titles, ...rows].map((cells) => cells.map(printable))
  const widths = titles.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column < titles.length - 1 ? cell.padEnd(widths[column] ?? 0) : cell))
      .join('  ')
      .trimEnd()
  return lines.map(line).join('\n')
}
