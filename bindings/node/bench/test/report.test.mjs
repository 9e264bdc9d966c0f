import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { totalOf } from '../instructions.mjs'
import { configurations as all } from '../peers/index.mjs'
import { selfCosts } from '../profile.mjs'
import { figure, withSpread } from '../report/numbers.mjs'
import { plots } from '../report/plots.mjs'
import { withResults } from '../report/readme.mjs'
import { failureText } from '../report/report.mjs'
import { barChart } from '../report/svg.mjs'
import { asMarkdown, asText, tables } from '../report/tables.mjs'
import { overheadRows, resultRows } from '../results.mjs'
import { assertWellFormed } from './well-formed.mjs'

const configurations = all([{ name: 'strongroom', folder: '/nowhere' }]).filter(({ name }) =>
  ['strongroom', 'better-sqlite3', 'signal'].includes(name),
)
const sample = (configuration, workload, round, cpu) => ({
  configuration,
  workload,
  round,
  cpu,
  wall: cpu,
  checksum: '1',
})
const rows = resultRows({
  workloads: [
    { name: 'insert', unit: 'ms' },
    { name: 'call', unit: 'ns' },
  ],
  configurations,
  samples: [
    sample('strongroom', 'insert', 0, 1500),
    sample('strongroom', 'insert', 1, 1400),
    sample('better-sqlite3', 'insert', 0, 1000),
    sample('better-sqlite3', 'insert', 1, 1000),
    sample('signal', 'call', 0, 90),
    sample('better-sqlite3', 'call', 0, 60),
  ],
  failures: [],
  metric: 'cpu',
})
const overheads = overheadRows(rows, new Map([['call', 40]]))
const found = tables({ rows, costs: [], targets: [], overheads, configurations, metric: 'cpu' })

test('figures have three significant digits', () => {
  assert.deepEqual([0, 0.01234, 1.2345, 12.34, 123.4, 12345.6].map(figure), [
    '0',
    '0.012',
    '1.23',
    '12.3',
    '123',
    '12,346',
  ])
  assert.equal(withSpread({ value: 0.5, low: 0.456, high: 0.6 }), '0.50 (0.46–0.60)')
  assert.equal(withSpread({ value: 0.5, low: 0.5, high: 0.5 }), '0.50')
  assert.equal(withSpread({ value: 0.5 }), '0.50')
})

test('a table has aligned columns, and a dash for a missing value', () => {
  const lines = asText(found[0]).split('\n')
  assert.equal(lines[0], 'Without encryption')
  assert.deepEqual(lines.slice(3), [
    'workload        strongroom  better-sqlite3   signal  Strongroom / best other',
    '────────  ────────────────  ──────────────  ───────  ───────────────────────',
    'insert       1,400 / 1,450   1,000 / 1,000        –                     1.40',
    'ms        1.40 (1.40–1.50)                                    better-sqlite3',
    'call                     –         60 / 60  90 / 90                        –',
    'ns                                             1.50',
  ])
})

test('the overhead has its own table', () => {
  assert.deepEqual(asMarkdown(found[1]).split('\n').slice(-3), [
    "| workload | SQLite's share | strongroom | better-sqlite3 | signal |",
    '| --- | ---: | ---: | ---: | ---: |',
    '| call | 40 | – | 20 | 50<br>2.50 |',
  ])
})

test('plots are well-formed, and show every value', () => {
  const drawn = plots({ rows, costs: [], overheads, configurations, metric: 'cpu' })
  assert.deepEqual([...drawn.keys()], ['plain.svg', 'overhead.svg'])
  for (const svg of drawn.values()) assertWellFormed(svg)
  assert.match(drawn.get('plain.svg'), />1\.40 · 1,400 ms</)
  assert.match(drawn.get('overhead.svg'), />50 ns</)
})

test('text in a plot is escaped, and a bar beyond the limit is cut off', () => {
  const bars = [
    { name: 'a', value: 1, text: '1' },
    { name: 'b', value: 9, text: '9' },
  ]
  const svg = barChart({
    title: 'a < b & "c"',
    subtitle: '',
    names: ['a', 'b'],
    groups: [{ label: '<', bars }],
    limit: 2,
  })
  assertWellFormed(svg)
  assert.doesNotMatch(svg, /a < b/)
  assert.equal(svg.match(/class="cut"/g).length, 2)
})

test('the results in the README are replaced between its markers', () => {
  const text = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const once = withResults(text, 'new results')
  assert.equal(withResults(once, 'new results'), once)
  assert.ok(once.includes('\n\nnew results\n\n'))
  assert.throws(() => withResults('no markers', ''), /must contain the markers/)
})

test('a failure report names the configuration and the workload, and shows the end of stderr', () => {
  const text = failureText({
    configuration: 'signal',
    workload: 'get',
    what: 'was killed by SIGSEGV',
    stderr: 'one\ntwo',
  })
  assert.equal(text, 'FAILED: signal, get: was killed by SIGSEGV\n  one\n  two')
})

test("a profile's total is the number of instructions", () => {
  assert.equal(totalOf('# callgrind format\nevents: Ir\n\nfn=(1) main\n0 12\n\ntotals: 345678\n'), 345678)
})

test('the cost of a function in a profile excludes its callees', () => {
  const profile = `events: Ir
fn=(1) outer
10 5
cfn=(2) inner
calls=2 20
10 1000
+1 7
fn=(2)
20 90
fn=(1)
* 1
`
  assert.deepEqual(
    [...selfCosts(profile)],
    [
      ['inner', 90],
      ['outer', 13],
    ],
  )
})
