import assert from 'node:assert/strict'
import { test } from 'node:test'
import { costRows, targetRows } from '../cost.mjs'
import { configurations as all, groupOf, plainOf } from '../peers/index.mjs'
import { plots } from '../report/plots.mjs'
import { asMarkdown, tables } from '../report/tables.mjs'
import { resultRows } from '../results.mjs'
import { runsIn, WORKLOADS } from '../workloads/index.mjs'
import { assertWellFormed } from './well-formed.mjs'

const configurations = all([{ name: 'strongroom', folder: '/nowhere' }])

/** Returns a sample for each round. */
const samples = (configuration, workload, cpu) =>
  cpu.map((cpu, round) => ({ configuration, workload, round, cpu, wall: cpu, checksum: '1' }))

/** Returns the arguments of `costRows` and `targetRows` for workloads of WORKLOADS. */
function given(found, more) {
  const names = new Set(found.map(({ workload }) => workload))
  const workloads = WORKLOADS.filter(({ name }) => names.has(name))
  return { workloads, configurations, samples: found, failures: [], metric: 'cpu', ...more }
}

const measured = given([
  ...samples('strongroom', 'scan', [10, 15]),
  ...samples('strongroom/strongroom', 'scan', [15, 18]),
  ...samples('strongroom/sqlcipher', 'scan', [30, 24]),
  ...samples('better-sqlite3', 'scan', [1, 1]),
  ...samples('multiple-ciphers', 'scan', [20, 20]),
  ...samples('multiple-ciphers/aegis', 'scan', [22, 10]),
  ...samples('signal/sqlcipher', 'scan', [9, 9]),
  ...samples('strongroom', 'open', [2]),
  ...samples('strongroom/strongroom', 'open-key', [8]),
  ...samples('strongroom/strongroom', 'open-passphrase', [100]),
])

test('each encrypted configuration is compared with the same package without encryption', () => {
  const pairs = configurations
    .filter(({ cipher }) => cipher !== undefined)
    .map((configuration) => [configuration.name, plainOf(configuration, configurations)?.name])
  assert.deepEqual(pairs, [
    ['strongroom/sqlcipher', 'strongroom'],
    ['strongroom/strongroom', 'strongroom'],
    ['multiple-ciphers/sqlcipher', 'multiple-ciphers'],
    ['signal/sqlcipher', 'signal'],
    ['multiple-ciphers/chacha20', 'multiple-ciphers'],
    ['multiple-ciphers/aegis', 'multiple-ciphers'],
  ])
})

test('each build is compared with itself', () => {
  const builds = all([
    { name: 'before', folder: '/one' },
    { name: 'after', folder: '/two' },
    { name: 'other', folder: '/two', addon: '/an.node' },
  ])
  const plain = (name) =>
    plainOf(
      builds.find((configuration) => configuration.name === name),
      builds,
    ).name
  assert.deepEqual(
    ['before', 'after', 'other'].map((name) => plain(`${name}/strongroom`)),
    ['before', 'after', 'other'],
  )
})

test('a configuration for reference runs only what the cost needs, and has no table', () => {
  const reference = configurations.filter((configuration) => groupOf(configuration) === 'reference')
  assert.deepEqual(
    reference.map(({ name }) => name),
    ['multiple-ciphers'],
  )
  for (const workload of WORKLOADS) {
    const needed = WORKLOADS.some(
      ({ name, plain, groups }) => (plain ?? name) === workload.name && (groups?.includes('encrypted') ?? true),
    )
    assert.equal(runsIn(workload, 'reference'), needed && runsIn(workload, 'plain'), workload.name)
  }
  const rows = resultRows(measured)
  assert.ok(rows.length > 0 && rows.every(({ cells }) => !('multiple-ciphers' in cells)))
})

test('the cost is the ratio to the plain configuration of the same run, with its spread', () => {
  const [scan, open, ...rest] = costRows(measured)
  assert.deepEqual(rest, [])
  assert.equal(scan.workload.name, 'scan')
  // @signalapp/sqlcipher was not measured without encryption.
  assert.deepEqual(scan.cells, {
    'strongroom/sqlcipher': { best: 24, plain: 'strongroom', ratio: { value: 2.4, low: 1.6, high: 3 } },
    'strongroom/strongroom': { best: 15, plain: 'strongroom', ratio: { value: 1.5, low: 1.2, high: 1.5 } },
    'multiple-ciphers/aegis': { best: 10, plain: 'multiple-ciphers', ratio: { value: 0.5, low: 0.5, high: 1.1 } },
  })
  assert.equal(open.workload.name, 'open-key')
  assert.equal(open.cells['strongroom/strongroom'].ratio.value, 4)
})

test('a configuration that failed a workload has no cost there', () => {
  const failures = [{ configuration: 'strongroom', workload: 'scan', what: 'was killed', stderr: '' }]
  const [scan] = costRows({ ...measured, failures })
  assert.deepEqual(Object.keys(scan.cells), ['multiple-ciphers/aegis'])
})

test('the targets compare the Strongroom format with plain and with aegis', () => {
  const rows = targetRows(costRows(measured), measured)
  assert.deepEqual(
    rows.map(({ workload, name, plain, aegis }) => [workload.name, name, plain, aegis]),
    [
      [
        'scan',
        'strongroom/strongroom',
        { ratio: { value: 1.5, low: 1.2, high: 1.5 }, target: 1.5, met: true },
        { ratio: { value: 1.5, low: 15 / 22, high: 1.8 }, target: 1.4, met: false },
      ],
      [
        'open-key',
        'strongroom/strongroom',
        { ratio: { value: 4, low: 4, high: 4 }, target: undefined, met: undefined },
        undefined,
      ],
    ],
  )
  const instructions = { ...measured, metric: 'instructions' }
  assert.deepEqual(targetRows(costRows(instructions), instructions), [])
})

test('each workload has its target', () => {
  const encrypted = WORKLOADS.filter((workload) => runsIn(workload, 'encrypted'))
  const found = given(
    encrypted.flatMap(({ name, plain = name }) => [
      ...samples('strongroom', plain, [1]),
      ...samples('strongroom/strongroom', name, [1]),
      ...samples('multiple-ciphers/aegis', name, [1]),
    ]),
  )
  const targets = targetRows(costRows(found), found).map(({ workload, plain, aegis }) => [
    workload.name,
    [plain.target, aegis.target],
  ])
  assert.deepEqual(Object.fromEntries(targets), {
    insert: [1.15, 1],
    'insert-own': [1.15, 1],
    scan: [1.5, 1.4],
    get: [1.2, 1],
    'all-100': [1.15, 1],
    iterate: [1.15, 1],
    search: [1.15, 1],
    chat: [1.15, 1],
    'page-read': [2.5, 1.4],
    'page-write': [1.15, 1],
    'open-key': [undefined, undefined],
    'open-passphrase': [undefined, undefined],
  })
})

test('the tables show each ratio, and whether the target is met', () => {
  const costs = costRows(measured)
  const targets = targetRows(costs, measured)
  const [cost, target] = tables({ rows: [], costs, targets, overheads: [], configurations, metric: 'cpu' })
  assert.match(cost.note, /multiple-ciphers\/aegis with multiple-ciphers, open-key with open\.$/)
  assert.deepEqual(asMarkdown(cost).split('\n').slice(-4), [
    '| workload | strongroom/sqlcipher | strongroom/strongroom | multiple-ciphers/aegis |',
    '| --- | ---: | ---: | ---: |',
    '| scan | 2.40 (1.60–3.00) | 1.50 (1.20–1.50) | 0.50 (0.50–1.10) |',
    '| open-key | – | 4.00 | – |',
  ])
  assert.deepEqual(asMarkdown(target).split('\n').slice(-2), [
    '| scan | strongroom/strongroom | 1.50 (1.20–1.50)<br>met | 1.50 | 1.50 (0.68–1.80)<br>missed | 1.40 |',
    '| open-key | strongroom/strongroom | 4.00 | – | – | – |',
  ])
})

test('the plot shows each ratio, and cuts off a bar beyond the limit', () => {
  const found = given([
    ...samples('strongroom', 'page-read', [2]),
    ...samples('strongroom/strongroom', 'page-read', [5]),
    ...samples('strongroom/sqlcipher', 'page-read', [18]),
  ])
  const drawn = plots({ rows: [], costs: costRows(found), overheads: [], configurations, metric: 'cpu' })
  assert.deepEqual([...drawn.keys()], ['cost.svg'])
  const svg = drawn.get('cost.svg')
  assertWellFormed(svg)
  assert.match(svg, />2\.50 · 5 µs</)
  assert.match(svg, />9\.00 · 18 µs</)
  assert.equal(svg.match(/class="cut"/g).length, 2)
  assert.doesNotMatch(svg, /signal/)
})
