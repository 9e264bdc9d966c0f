import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configurations as all } from '../peers/index.mjs'
import { baseOf, disagreements, overheadRows, resultRows } from '../results.mjs'

const configurations = all([{ name: 'strongroom', folder: '/nowhere' }])
const workload = { name: 'get', unit: 'ns' }

/** Returns a sample for each round. */
function samples(configuration, cpu, checksum = '1') {
  return cpu.map((cpu, round) => ({ configuration, workload: 'get', round, cpu, wall: cpu * 2, checksum }))
}

const rowsOf = (samples, more) =>
  resultRows({ workloads: [workload], configurations, samples, failures: [], metric: 'cpu', ...more })

test('a configuration that returns another checksum fails, however fast it is', () => {
  const found = [
    ...samples('strongroom', [10, 11]),
    ...samples('better-sqlite3', [20, 20]),
    ...samples('signal', [1, 1], '2'),
  ]
  const failures = disagreements(found)
  assert.deepEqual(failures, [
    {
      configuration: 'signal',
      workload: 'get',
      what: 'returned the checksum 2, but most configurations returned 1',
      stderr: '',
    },
  ])
  assert.deepEqual(Object.keys(rowsOf(found, { failures })[0].cells), ['strongroom', 'better-sqlite3'])
  assert.deepEqual(disagreements(found.filter(({ configuration }) => configuration !== 'signal')), [])
})

test('a row has summaries, ratios to the base, and the ratio to the best other package', () => {
  const [row] = rowsOf([
    ...samples('strongroom', [10, 12]),
    ...samples('better-sqlite3', [20, 16]),
    ...samples('signal', [8, 9]),
  ])
  assert.equal(row.base, 'better-sqlite3')
  assert.deepEqual(row.cells['strongroom'], {
    cpu: { best: 10, median: 11, worst: 12 },
    wall: { best: 20, median: 22, worst: 24 },
    ratio: { value: 0.625, low: 0.5, high: 0.75 },
  })
  assert.equal(row.leader, 'signal')
  assert.equal(row.lead.value, 1.25)
})

test('each group has its own base, and the best other package has the same format', () => {
  const rows = rowsOf([
    ...samples('strongroom/sqlcipher', [6]),
    ...samples('multiple-ciphers/sqlcipher', [4]),
    ...samples('multiple-ciphers/aegis', [1]),
  ])
  assert.deepEqual(
    rows.map(({ group, base, leader }) => ({ group, base, leader })),
    [{ group: 'encrypted', base: 'multiple-ciphers/sqlcipher', leader: 'multiple-ciphers/sqlcipher' }],
  )
  assert.equal(baseOf('plain', configurations, 'signal'), 'signal')
  assert.equal(baseOf('encrypted', configurations, 'signal'), 'multiple-ciphers/sqlcipher')
  assert.equal(
    baseOf(
      'plain',
      configurations.filter(({ own }) => own),
    ),
    'strongroom',
  )
})

test("the overhead is the time minus SQLite's share", () => {
  const rows = rowsOf([...samples('strongroom', [130]), ...samples('better-sqlite3', [90]), ...samples('signal', [20])])
  const [{ share, cells }] = overheadRows(rows, new Map([['get', 30]]))
  assert.equal(share, 30)
  assert.deepEqual(cells['strongroom'], { overhead: 100, ratio: 100 / 60 })
  assert.equal(cells['signal'].overhead, 0)
  assert.deepEqual(overheadRows(rows, new Map()), [])
})
