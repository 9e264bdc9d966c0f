// Tests the model itself: it accepts a small implementation that keeps every promise, and finds each fault.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from './async-model/episode.mjs'
import { plan } from './async-model/plan.mjs'
import { opener } from './async-model/queue-database.mjs'
import { shortest } from './async-model/shortest.mjs'

/** The time in milliseconds after which a faulty implementation has lost a call. */
const LOST = 5_000

const FAULTS = [
  'a read overtakes an awaited write',
  'an outside call enters a transaction',
  'a cancelled write runs',
  'iterate loses a row',
  'a rollback commits',
  'a nested rollback keeps its changes',
  'a snapshot is none',
  'close loses a commit',
]

test('an implementation that keeps every promise passes', async () => {
  for (let episode = 0; episode < 20; episode++)
    assert.equal(await run(plan({ seed: 1, episode, steps: 200 }), opener()), undefined, `episode ${episode}`)
})

for (const fault of FAULTS)
  test(`the model finds a fault: ${fault}`, async () => {
    for (let episode = 0; episode < 40; episode++)
      if ((await run(plan({ seed: 1, episode, steps: 200 }), opener(fault), LOST)) !== undefined) return
    assert.fail('40 episodes passed')
  })

test('a failed episode is made shorter, and still fails', async () => {
  const planned = plan({ seed: 1, episode: 0, steps: 200 })
  const fails = async (indexes) => {
    const steps = planned.steps.filter(({ index }) => indexes.includes(index))
    return (await run({ ...planned, steps }, opener('iterate loses a row'), LOST)) !== undefined
  }
  const all = planned.steps.map(({ index }) => index)
  const kept = await shortest(all, fails, 100, 1)
  assert.ok(kept.length < 20, `${kept.length} steps`)
  assert.ok(await fails(kept))
})
