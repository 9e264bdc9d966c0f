// The tables and the plot of the asynchronous measurements.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { figure, times } from '../report/numbers.mjs'
import { barChart, COLOURS } from '../report/svg.mjs'
import { summary } from '../statistics.mjs'

const START = '<!-- async results: `node bench/async/async.mjs --readme` writes this section -->'
const END = '<!-- end of the async results -->'

/** The delay in ms at which a bar is cut off. */
const LIMIT = 40

const DELAYS = { query: 'one query of a second', iterate: '100,000 rows, dropped', all: '100,000 rows, kept' }

/** Returns the figures of a task: for each configuration, Node and number of readers, summaries over the rounds. */
function rowsOf({ samples }, name) {
  const groups = Map.groupBy?.bind(Map) ?? grouped
  const own = samples.filter(({ task }) => task === name)
  const by = groups(own, ({ configuration, readers, node }) => JSON.stringify([configuration, readers, node]))
  return [...by].map(([id, found]) => {
    const [configuration, readers, node] = JSON.parse(id)
    const names = Object.keys(found[0]).filter(
      (key) => typeof found[0][key] === 'number' && !['round', 'readers'].includes(key),
    )
    const figures = Object.fromEntries(names.map((key) => [key, summary(found.map((sample) => sample[key]))]))
    return { configuration, readers: readers ?? undefined, node, figures }
  })
}

function grouped(values, key) {
  const groups = new Map()
  for (const value of values) groups.set(key(value), [...(groups.get(key(value)) ?? []), value])
  return groups
}

/** Returns the tables as Markdown. */
export function tables(report) {
  const described = [
    delays(report),
    cpu(report),
    several(report, 'gets', '100,000 random gets'),
    several(report, 'sums', '10,000 sums of 500 rows'),
    single(report),
  ]
  return described.filter((table) => table !== undefined)
}

/** The p99 and the longest delay, for each configuration: medians over the rounds. */
function delays(report) {
  const names = Object.keys(DELAYS)
  const rows = new Map()
  for (const name of names)
    for (const row of rowsOf(report, name))
      rows.set(row.configuration, { ...rows.get(row.configuration), [name]: row.figures })
  if (rows.size === 0) return undefined
  const base = rows.get('strongroom/async')
  const cell = (figures, of) => {
    if (!figures) return '–'
    const ratio = of ? `<br>${times(figures.p99.median / of.p99.median)}` : ''
    return `${figure(figures.p99.median)} / ${figure(figures.max.median)}${ratio}`
  }
  const [idle] = rowsOf(report, 'idle')
  const lines = idle ? [`| *nothing runs* | ${names.map(() => cell(idle.figures)).join(' | ')} |`] : []
  for (const [configuration, figures] of rows)
    lines.push(`| ${configuration} | ${names.map((name) => cell(figures[name], base?.[name])).join(' | ')} |`)
  return [
    '#### Delay of the event loop',
    '',
    'Each cell shows the delay in ms: p99 / longest. The second line is the ratio of the p99 to that of strongroom/async.',
    '',
    `| | ${names.map((name) => DELAYS[name]).join(' | ')} |`,
    `| --- | ${names.map(() => '---:').join(' | ')} |`,
    ...lines,
  ].join('\n')
}

function cpu(report) {
  const rows = rowsOf(report, 'all-cpu')
  return table({
    title: '`all` of 100,000 rows: CPU time of the main thread',
    text: 'In ms, the best of the rounds: until the result is there, and until 40 ms later, when V8 has collected. The ratio compares the second figure with the synchronous class in the same format and Node.',
    columns: ['Node', 'until the result', 'with the collection', 'all threads', 'ratio'],
    rows: rows.map((row) => {
      const twin = rows.find(
        ({ configuration, node }) =>
          node === row.node && configuration === row.configuration.replace('strongroom/async', 'strongroom'),
      )
      const { result, collected, process } = row.figures
      return [
        row.configuration,
        row.node,
        ...[result, collected, process].map(({ best }) => figure(best)),
        twin && twin !== row ? times(collected.best / twin.figures.collected.best) : '',
      ]
    }),
  })
}

function several(report, task, title) {
  const rows = rowsOf(report, task)
  return table({
    title: `${title} of 8 callers at once`,
    text: 'In µs for each call, the best of the rounds. The ratio is the throughput compared with one reader.',
    columns: ['readers', 'wall time', 'CPU of all threads', 'ratio'],
    rows: rows.map((row) => {
      const { wall, cpu } = row.figures
      const one = rows.find(({ configuration, readers }) => configuration === row.configuration && readers === 1)
      const ratio = row.readers === 2 && one ? times(one.figures.wall.best / wall.best) : ''
      return [row.configuration, row.readers ?? '', figure(wall.best), figure(cpu.best), ratio]
    }),
  })
}

function single(report) {
  const rows = rowsOf(report, 'get')
  return table({
    title: 'One get, awaited',
    text: 'In µs: the median and the p99 of the calls, the best of the rounds. The ratio compares the median with the better of the two callback packages.',
    columns: ['median', 'p99', 'ratio'],
    rows: rows.map(({ configuration, figures: { median, p99 } }) => {
      const peers = rows.filter(({ configuration }) => /^(sqlite3|@journeyapps\/sqlcipher)$/.test(configuration))
      const best = Math.min(...peers.map(({ figures }) => figures.median.best))
      return [configuration, figure(median.best), figure(p99.best), peers.length > 0 ? times(median.best / best) : '']
    }),
  })
}

function table({ title, text, columns, rows }) {
  if (rows.length === 0) return undefined
  return [
    `#### ${title}`,
    '',
    text,
    '',
    `| | ${columns.join(' | ')} |`,
    `| --- | ${columns.map(() => '---:').join(' | ')} |`,
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
  ].join('\n')
}

/** Returns the plot of the delays as SVG. */
export function plot(report) {
  const names = Object.keys(DELAYS)
  const by = new Map(names.map((name) => [name, rowsOf(report, name)]))
  const configurations = [...new Set([...by.values()].flat().map(({ configuration }) => configuration))]
  const [idle] = rowsOf(report, 'idle')
  return barChart({
    title: 'Delay of the event loop',
    subtitle: `bars: p99 in ms, cut off at ${LIMIT} ms; text: p99 / longest; shorter is better${idle ? `; the line marks an idle loop: ${figure(idle.figures.p99.median)} ms` : ''}`,
    names: configurations,
    colours: [...COLOURS, '#abdaf4', '#f2a779', '#5d8a66', '#7a5195', '#b7b7a4', '#4a4e69'],
    groups: names.map((name) => ({
      label: DELAYS[name],
      bars: by.get(name).map(({ configuration, figures }) => ({
        name: configuration,
        value: figures.p99.median,
        text: `${figure(figures.p99.median)} / ${figure(figures.max.median)}`,
      })),
    })),
    reference: idle?.figures.p99.median,
    limit: LIMIT,
  })
}

/** Replaces the results in README.md, and the plot in plots/. */
export function writeReadme(report, folder) {
  const { date, processor, memory, system, node } = report.machine
  const lines = [
    `${date}; ${processor}, ${memory}; ${system}; Node ${node}`,
    ...report.builds.map(({ name, text }) => `${name}: ${text}`),
  ]
  mkdirSync(join(folder, 'plots'), { recursive: true })
  writeFileSync(join(folder, 'plots/delay.svg'), plot(report))
  const results = [
    ...lines.map((line) => `- ${line}`),
    '',
    '![delay](plots/delay.svg)',
    '',
    tables(report).join('\n\n'),
  ]
  const file = join(folder, 'README.md')
  const text = readFileSync(file, 'utf8')
  const [start, end] = [text.indexOf(START), text.indexOf(END)]
  if (start === -1 || end < start) throw new Error(`README.md must contain the markers ${START} and ${END}`)
  writeFileSync(file, `${text.slice(0, start + START.length)}\n\n${results.join('\n')}\n\n${text.slice(end)}`)
}
