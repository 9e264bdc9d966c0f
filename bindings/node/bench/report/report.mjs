// Reports a run: tables on stdout, failures on stderr, and the files that the command line asks for.
import { writeFileSync } from 'node:fs'
import { costRows, targetRows } from '../cost.mjs'
import { overheadRows, resultRows } from '../results.mjs'
import { described, machine } from './machine.mjs'
import { plots } from './plots.mjs'
import { writePlots, writeReadme } from './readme.mjs'
import { asText, tables } from './tables.mjs'

export function report({ options, node, builds, workloads, rounds, failures, shares }) {
  const { described: configurations, samples, lacking } = rounds
  const { metric, base } = options
  const measured = { workloads, configurations, samples, failures, metric }
  const rows = resultRows({ ...measured, base })
  const costs = costRows(measured)
  const targets = targetRows(costs, measured)
  const overheads = overheadRows(rows, shares)
  const facts = machine({ node: node.version })
  const lines = described({ machine: facts, configurations, builds })
  const found = tables({ rows, costs, targets, overheads, configurations, metric })
  process.stdout.write(`${[...lines, '', ...found.flatMap((table) => [asText(table), ''])].join('\n')}\n`)
  for (const failure of failures) process.stderr.write(`${failureText(failure)}\n`)

  if (options.json) {
    const results = { rows, costs, targets, overheads }
    const everything = { ...facts, metric, builds, configurations, ...results, samples, lacking, failures }
    writeFileSync(options.json, `${JSON.stringify(everything, null, 1)}\n`)
  }
  const drawn = plots({ rows, costs, overheads, configurations, metric })
  if (options.svg) writePlots(options.svg, drawn)
  if (options.readme) writeReadme({ lines, tables: found, plots: drawn })
}

/** Returns a message that says what failed, with the end of the process's stderr. */
export function failureText({ configuration, workload, what, stderr }) {
  const head = `FAILED: ${[configuration, workload].filter(Boolean).join(', ')}: ${what}`
  return [
    head,
    ...stderr
      .split('\n')
      .filter(Boolean)
      .map((line) => `  ${line}`),
  ].join('\n')
}
