import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configurations as all } from '../peers/index.mjs'
import { summaryPlot } from '../report/summary.mjs'
import { resultRows } from '../results.mjs'
import { WORKLOADS } from '../workloads/index.mjs'

const configurations = all([{ name: 'strongroom', folder: '/nowhere' }])

/** Returns rows in which each encrypted configuration takes twice as long as better-sqlite3. */
function rowsWithout(missing) {
  const names = ['insert', 'insert-own', 'get', 'all-100', 'iterate', 'scan', 'chat']
  const workloads = WORKLOADS.filter(({ name }) => names.includes(name))
  const samples = workloads.flatMap(({ name }) =>
    configurations
      .filter((configuration) => configuration.name !== missing)
      .map((configuration) => ({
        configuration: configuration.name,
        workload: name,
        round: 0,
        cpu: configuration.cipher === undefined ? 100 : 200,
        wall: 1,
        checksum: '1',
      })),
  )
  return resultRows({ workloads, configurations, samples, failures: [], metric: 'cpu' })
}

test('the summary compares encrypted configurations with better-sqlite3 without encryption', () => {
  const svg = summaryPlot({ rows: rowsWithout(undefined), metric: 'cpu' })
  assert.equal(svg.match(/>1\.00 · 100 ms</g).length, 7 * 3)
  assert.equal(svg.match(/>2\.00 · 200 ms</g).length, 7 * 5)
})

test('a run that lacks a configuration draws no summary', () => {
  for (const missing of ['signal/sqlcipher', 'strongroom/strongroom'])
    assert.equal(summaryPlot({ rows: rowsWithout(missing), metric: 'cpu' }), undefined)
  assert.equal(summaryPlot({ rows: rowsWithout(undefined), metric: 'wall' }), undefined)
})
