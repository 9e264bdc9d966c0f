// The plot of the root README: plain and encrypted configurations of some workloads in one picture.
import { figure, times } from './numbers.mjs'
import { barChart, COLOURS } from './svg.mjs'

/** The workloads of the plot, with labels for a reader who has not seen the table of workloads. */
const LABELS = {
  insert: 'insert 100,000 rows',
  'insert-own': '3,000 transactions of a row',
  get: '100,000 random gets',
  'all-100': '2,000 × all of 100 rows',
  iterate: 'iterate over 100,000 rows',
  scan: 'scan 30 MB, cold cache',
  chat: 'chat: read, write, search',
}

/** The configurations, in the order of their bars. The configurations of a package have related colours. */
const BARS = [
  { configuration: 'strongroom', name: 'strongroom', colour: COLOURS[0] },
  { configuration: 'better-sqlite3', name: 'better-sqlite3', colour: COLOURS[1] },
  { configuration: 'node:sqlite', name: 'node:sqlite', colour: COLOURS[2] },
  { configuration: 'strongroom/strongroom', name: 'strongroom, encrypted (Strongroom)', colour: COLOURS[4] },
  { configuration: 'strongroom/sqlcipher', name: 'strongroom, encrypted (SQLCipher)', colour: '#abdaf4' },
  {
    configuration: 'multiple-ciphers/aegis',
    name: 'better-sqlite3-multiple-ciphers, encrypted (aegis)',
    colour: '#f2a779',
  },
  {
    configuration: 'multiple-ciphers/sqlcipher',
    name: 'better-sqlite3-multiple-ciphers, encrypted (SQLCipher)',
    colour: COLOURS[5],
  },
  { configuration: 'signal/sqlcipher', name: '@signalapp/sqlcipher, encrypted (SQLCipher)', colour: COLOURS[3] },
]

const BASE = 'better-sqlite3'

/** Returns the plot, or undefined if the run did not measure every workload and configuration of the plot. */
export function summaryPlot({ rows, metric }) {
  const workloads = Object.keys(LABELS)
  const cells = new Map(workloads.map((workload) => [workload, cellsOf(rows, workload)]))
  const complete =
    workloads.every((workload) => BASE in cells.get(workload)) &&
    BARS.every(({ configuration }) => workloads.some((workload) => configuration in cells.get(workload)))
  if (metric !== 'cpu' || !complete) return undefined
  return barChart({
    title: 'Strongroom compared with other packages',
    subtitle: `CPU time of all threads as a ratio to ${BASE} without encryption; shorter is better`,
    names: BARS.map(({ name }) => name),
    colours: BARS.map(({ colour }) => colour),
    groups: workloads.map((workload) => ({ label: LABELS[workload], bars: barsOf(cells.get(workload)) })),
    reference: 1,
    limit: 3,
  })
}

/** Returns the cells of a workload's rows, plain and encrypted, by configuration. */
function cellsOf(rows, workload) {
  return Object.assign({}, ...rows.filter((row) => row.workload.name === workload).map((row) => row.cells))
}

/** Returns the bars of a workload. @signalapp/sqlcipher has no `iterate`, and therefore no bar for it. */
function barsOf(cells) {
  const base = cells[BASE].cpu.best
  return BARS.filter(({ configuration }) => configuration in cells).map(({ configuration, name }) => {
    const { best } = cells[configuration].cpu
    return { name, value: best / base, text: `${times(best / base)} · ${figure(best)} ms` }
  })
}
