import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ratio, summary } from '../statistics.mjs'

const samples = (...values) => new Map(values.map((value, round) => [round, value]))

test('a summary has the best, the median and the worst value', () => {
  assert.deepEqual(summary([3, 1, 2]), { best: 1, median: 2, worst: 3 })
  assert.deepEqual(summary([4, 1, 2, 3]), { best: 1, median: 2.5, worst: 4 })
  assert.deepEqual(summary([10, 9]), { best: 9, median: 9.5, worst: 10 })
})

test('a ratio compares the best values, and its spread compares the rounds', () => {
  assert.deepEqual(ratio(samples(2, 6, 4), samples(4, 4, 4)), { value: 0.5, low: 0.5, high: 1.5 })
  assert.deepEqual(ratio(samples(3), samples(3)), { value: 1, low: 1, high: 1 })
})

test('the spread leaves out a round in which one side failed', () => {
  const base = new Map([
    [1, 2],
    [2, 4],
  ])
  assert.deepEqual(ratio(samples(1, 4), base), { value: 0.5, low: 2, high: 2 })
  assert.deepEqual(ratio(samples(1), new Map([[1, 2]])), { value: 0.5 })
  assert.equal(ratio(new Map(), base), undefined)
  assert.equal(ratio(base, new Map()), undefined)
})
