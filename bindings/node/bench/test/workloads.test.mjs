import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ids, messages } from '../data.mjs'
import { FIXTURES } from '../workloads/fixtures.mjs'
import { scaled, WORKLOADS } from '../workloads/index.mjs'

test('each workload has its own name, and every property that the harness needs', () => {
  assert.equal(new Set(WORKLOADS.map(({ name }) => name)).size, WORKLOADS.length)
  for (const { name, title, unit, count, fixture, setup, run } of WORKLOADS) {
    assert.match(name, /^[a-z0-9-]+$/)
    assert.ok(title && count > 0 && setup && run, name)
    assert.ok(['ms', 'µs', 'ns', 'MB'].includes(unit), name)
    assert.ok(fixture === undefined || fixture in FIXTURES, name)
  }
})

test('data is the same in each process', () => {
  const [first] = messages(1)
  assert.equal(first.body.length, 200)
  assert.equal(first.bin.length, 64)
  assert.deepEqual(messages(3)[0], first)
  assert.deepEqual([...ids(3, 100)], [...ids(3, 100)])
  assert.ok(ids(1000, 10).every((id) => id >= 1 && id <= 10))
})

test('a scaled count is at least one', () => {
  assert.equal(scaled(100_000, 0.5), 50_000)
  assert.equal(scaled(3, 0.001), 1)
})
