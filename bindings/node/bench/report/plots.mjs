// The plots of a run: ratios of each group, the cost of encryption, and the overhead of calls.
import { groupOf } from '../peers/index.mjs'
import { figure, times } from './numbers.mjs'
import { summaryPlot } from './summary.mjs'
import { barChart } from './svg.mjs'

/** The ratio at which a bar is cut off. A longer bar would make the other bars too short to compare. */
const LIMIT = 2.5

/** The same for the cost of encryption. */
const COST_LIMIT = 4

const TITLES = { plain: 'Without encryption', encrypted: 'Encrypted' }
const FIGURES = { cpu: 'CPU time', wall: 'wall time', instructions: 'instructions' }

/** Returns the plots by their file names. */
export function plots({ rows, costs, overheads, configurations, metric }) {
  const found = Object.entries(TITLES).flatMap(([group, title]) => {
    // The overhead plot already shows the `ns` workloads.
    const own = rows.filter((row) => row.group === group && (overheads.length === 0 || row.workload.unit !== 'ns'))
    return own.length === 0 ? [] : [[`${group}.svg`, ratios({ rows: own, configurations, group, title, metric })]]
  })
  if (costs.length > 0) found.push(['cost.svg', costPlot({ rows: costs, configurations, metric })])
  if (overheads.length > 0) found.push(['overhead.svg', overheadPlot({ rows: overheads, configurations })])
  const summary = summaryPlot({ rows, metric })
  if (summary) found.push(['summary.svg', summary])
  return new Map(found)
}

function ratios({ rows, configurations, group, title, metric }) {
  const names = namesIn(configurations, group)
  return barChart({
    title,
    subtitle: `${FIGURES[metric]} (memory: growth of the peak) as a ratio to ${rows[0].base}; shorter is better`,
    names,
    groups: rows.map(({ workload, cells, main }) => ({
      label: workload.name,
      bars: names
        .filter((name) => cells[name]?.ratio)
        .map((name) => ({
          name,
          value: cells[name].ratio.value,
          text: barText(cells[name].ratio, cells[name][main].best, { main, workload }),
        })),
    })),
    reference: 1,
    limit: LIMIT,
  })
}

function barText(ratio, best, { main, workload }) {
  return `${times(ratio.value)} · ${figure(best)}${main === 'instructions' ? '' : ` ${workload.unit}`}`
}

function costPlot({ rows, configurations, metric }) {
  const names = namesIn(configurations, 'encrypted').filter((name) => rows.some(({ cells }) => name in cells))
  return barChart({
    title: 'The cost of encryption',
    subtitle: `${FIGURES[metric]} as a ratio to the same package without encryption; 1 means that encryption is free`,
    names,
    groups: rows.map((row) => ({
      label: row.workload.name,
      bars: names
        .filter((name) => name in row.cells)
        .map((name) => {
          const { ratio, best } = row.cells[name]
          return { name, value: ratio.value, text: barText(ratio, best, row) }
        }),
    })),
    reference: 1,
    limit: COST_LIMIT,
  })
}

function overheadPlot({ rows, configurations }) {
  const names = namesIn(configurations, 'plain')
  return barChart({
    title: 'Overhead of a call or a row',
    subtitle: "ns of CPU time minus SQLite's share; shorter is better",
    names,
    groups: rows.map(({ workload, cells }) => ({
      label: workload.name,
      bars: names
        .filter((name) => name in cells)
        .map((name) => ({ name, value: cells[name].overhead, text: `${figure(cells[name].overhead)} ns` })),
    })),
  })
}

function namesIn(configurations, group) {
  return configurations.filter((configuration) => groupOf(configuration) === group).map(({ name }) => name)
}
