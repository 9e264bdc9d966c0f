// Formats the tables as text for a terminal and as Markdown for the README.
import { groupOf } from '../peers/index.mjs'
import { figure, times, withSpread } from './numbers.mjs'

const TITLES = { plain: 'Without encryption', encrypted: 'Encrypted' }
const FIGURES = { cpu: 'CPU time of all threads', wall: 'wall time', instructions: 'instructions per operation' }

/**
 * Returns the tables: `{ title, note, head, body }`, whose cells are lists of lines.
 *
 * @param rows - the rows of results.mjs, as `overheads`; `costs` and `targets` are the rows of cost.mjs
 */
export function tables({ rows, costs, targets, overheads, configurations, metric }) {
  const result = Object.keys(TITLES).flatMap((group) => resultTable({ rows, configurations, metric, group }))
  if (costs.length > 0) result.push(costTable({ rows: costs, configurations, metric }))
  if (targets.length > 0) result.push(targetTable(targets))
  if (overheads.length > 0) result.push(overheadTable({ rows: overheads, configurations, metric }))
  return result
}

function resultTable({ rows, configurations, metric, group }) {
  const own = rows.filter((row) => row.group === group)
  if (own.length === 0) return []
  const names = namesIn(configurations, group)
  const { base } = own[0]
  const cell = ({ cells, main }, name) => {
    if (!(name in cells)) return ['–']
    const value = `${figure(cells[name][main].best)} / ${figure(cells[name][main].median)}`
    return name === base || !cells[name].ratio ? [value] : [value, withSpread(cells[name].ratio)]
  }
  const body = own.map((row) => [
    [row.workload.name, unit(row)],
    ...names.map((name) => cell(row, name)),
    row.lead ? [times(row.lead.value), row.leader] : ['–'],
  ])
  const note = `Each cell shows the ${FIGURES[metric]}: the best and the median of the rounds. The second line is the ratio of the best value to ${base}'s, with the lowest and the highest of the per-round ratios in parentheses.`
  return [
    { title: TITLES[group], note, head: ['workload', ...names, 'Strongroom / best other'].map((name) => [name]), body },
  ]
}

function unit({ workload, main }) {
  return main === 'instructions' ? 'instructions' : workload.unit
}

function costTable({ rows, configurations, metric }) {
  const names = namesIn(configurations, 'encrypted').filter((name) => rows.some(({ cells }) => name in cells))
  const cell = ({ cells }, name) => (name in cells ? withSpread(cells[name].ratio) : '–')
  const plain = names.map((name) => `${name} with ${rows.find(({ cells }) => name in cells).cells[name].plain}`)
  const renamed = rows.flatMap(({ workload }) => (workload.plain ? [`${workload.name} with ${workload.plain}`] : []))
  return {
    title: 'The cost of encryption',
    note: `Each cell shows the ratio of the best ${FIGURES[metric]} to the best of the same package without encryption in the same run, with the lowest and the highest of the per-round ratios in parentheses. Compared are ${[...plain, ...renamed].join(', ')}.`,
    head: ['workload', ...names].map((name) => [name]),
    body: rows.map((row) => [[row.workload.name], ...names.map((name) => [cell(row, name)])]),
  }
}

function targetTable(rows) {
  const cells = (side) => {
    if (!side) return [['–'], ['–']]
    if (side.target === undefined) return [[withSpread(side.ratio)], ['–']]
    return [[withSpread(side.ratio), side.met ? 'met' : 'missed'], [times(side.target)]]
  }
  return {
    title: 'Targets of the Strongroom format',
    note: 'Each ratio of CPU time is compared with the target, which is its upper limit: the ratio to the same build without encryption, and the ratio to better-sqlite3-multiple-ciphers with aegis. Opening has no target.',
    head: ['workload', 'configuration', 'to plain', 'target', 'to aegis', 'target'].map((name) => [name]),
    body: rows.map(({ workload, name, plain, aegis }) => [[workload.name], [name], ...cells(plain), ...cells(aegis)]),
  }
}

function overheadTable({ rows, configurations, metric }) {
  const names = namesIn(configurations, 'plain')
  const { base } = rows[0]
  const cell = (row, name) => {
    const cell = row.cells[name]
    if (!cell) return ['–']
    return name === base || cell.ratio === undefined
      ? [figure(cell.overhead)]
      : [figure(cell.overhead), times(cell.ratio)]
  }
  return {
    title: 'Overhead of a call or a row',
    note: `Each cell shows the best ${FIGURES[metric]} in ns, minus SQLite's share: the time that a Rust loop needs for the same statement. The second line is the ratio to ${base}'s value.`,
    head: ['workload', "SQLite's share", ...names].map((name) => [name]),
    body: rows.map((row) => [[row.workload.name], [figure(row.share)], ...names.map((name) => cell(row, name))]),
  }
}

function namesIn(configurations, group) {
  return configurations.filter((configuration) => groupOf(configuration) === group).map(({ name }) => name)
}

/** Returns a table as text. The first column is aligned left, and the other columns are aligned right. */
export function asText({ title, note, head, body }) {
  const widths = head.map((_, at) => Math.max(...[head, ...body].flatMap((row) => row[at].map((line) => line.length))))
  const line = (cells) =>
    cells
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at])))
      .join('  ')
      .trimEnd()
  const lines = (row) =>
    Array.from({ length: Math.max(...row.map((cell) => cell.length)) }, (_, at) =>
      line(row.map((cell) => cell[at] ?? '')),
    )
  const rule = widths.map((width) => '─'.repeat(width)).join('  ')
  return [title, note, '', ...lines(head), rule, ...body.flatMap(lines)].join('\n')
}

/** Returns a table as Markdown. */
export function asMarkdown({ title, note, head, body }) {
  const row = (cells) => `| ${cells.map((lines) => lines.join('<br>')).join(' | ')} |`
  const rule = row(head.map((_, at) => [at === 0 ? '---' : '---:']))
  return [`### ${title}`, '', note, '', row(head), rule, ...body.map(row)].join('\n')
}
