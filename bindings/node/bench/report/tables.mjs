// The tables: as text for a terminal, and as Markdown for the README.
import { groupOf } from '../peers/index.mjs'
import { figure, times, withSpread } from './numbers.mjs'

const TITLES = { plain: 'Without encryption', encrypted: 'Encrypted' }

/** Returns a table for each group: { title, note, head, body }, in which cells are strings. */
export function tables({ rows, configurations, columns = timeColumns }) {
  return Object.entries(TITLES).flatMap(([group, title]) => {
    const own = rows.filter((row) => row.group === group)
    if (own.length === 0) return []
    const names = configurations.filter((configuration) => groupOf(configuration) === group).map(({ name }) => name)
    const { note, head, cells } = columns(names, own[0].base)
    return [{ title, note, head, body: own.map(cells) }]
  })
}

/** Best and median CPU time of each configuration, and the ratio to the base with its spread. */
function timeColumns(names, base) {
  return {
    note: `Best CPU time of all threads / median, and ratio of the best to ${base} (lowest–highest of a round). Lower is better.`,
    head: ['workload', 'unit', ...names, 'Strongroom / best other'],
    cells: ({ workload, main, cells, leader, lead }) => [
      workload.name,
      workload.unit,
      ...names.map((name) => (cells[name] ? timeCell(cells[name], main, name === base) : '–')),
      lead ? `${times(lead.value)} ${leader}` : '–',
    ],
  }
}

function timeCell(cell, main, isBase) {
  const value = `${figure(cell[main].best)} / ${figure(cell[main].median)}`
  return isBase || !cell.ratio ? value : `${value}  ${withSpread(cell.ratio)}`
}

/** Returns a table as text with aligned columns; all but the first are flush right. */
export function asText({ title, note, head, body }) {
  const lines = [head, ...body]
  const widths = head.map((_, at) => Math.max(...lines.map((line) => line[at].length)))
  const text = (line) =>
    line.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at]))).join('  ')
  const rule = widths.map((width) => '─'.repeat(width)).join('  ')
  return [title, note, '', text(head), rule, ...body.map(text)].join('\n')
}

/** Returns a table as Markdown. */
export function asMarkdown({ title, note, head, body }) {
  const row = (cells) => `| ${cells.join(' | ')} |`
  const rule = row(head.map((_, at) => (at === 0 ? '---' : '---:')))
  return [`### ${title}`, '', note, '', row(head), rule, ...body.map(row)].join('\n')
}
