// Compares the asynchronous class with a sequential model: async-model/ has the model.
//
// A longer run: STRONGROOM_TEST_ASYNC_SEEDS=20 STRONGROOM_TEST_ASYNC_STEPS=100000 node --test test/async-model.test.mjs
// One episode: STRONGROOM_TEST_ASYNC_SEED=3 STRONGROOM_TEST_ASYNC_EPISODE=7 node --test test/async-model.test.mjs
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { shortest } from './async-model/shortest.mjs'

const script = fileURLToPath(new URL('fixtures/async-model.mjs', import.meta.url))
const { env } = process
/** The number of seeds, the first seed, and the number of steps for each seed. */
const SEEDS = Number(env.STRONGROOM_TEST_ASYNC_SEEDS ?? 5)
const FIRST = Number(env.STRONGROOM_TEST_ASYNC_SEED ?? 1)
const STEPS = Number(env.STRONGROOM_TEST_ASYNC_STEPS ?? 10_000)
/** The only episode to run, if a test names it. */
const EPISODE = env.STRONGROOM_TEST_ASYNC_EPISODE
/** The number of steps of an episode, which has a database of its own. */
const LENGTH = 250

/** Runs episodes in a process of their own. Returns the failed episode with its problem, or undefined. */
async function failure(request) {
  const child = spawn(process.execPath, [script, JSON.stringify({ steps: LENGTH, ...request })], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => (output[name] += text))
  const [status, signal] = await once(child, 'close')
  const lines = output.stdout.trim().split('\n')
  if (status === 0 && signal === null && output.stderr === '') return undefined
  const episode = Number(lines.filter((line) => /^\d+$/.test(line)).at(-1))
  const answer = lines.at(-1).startsWith('{') ? JSON.parse(lines.at(-1)) : {}
  return { episode, problem: answer.problem ?? `${signal ?? `exit code ${status}`}: ${output.stderr.slice(-3000)}` }
}

for (let seed = FIRST; seed < FIRST + (EPISODE ? 1 : SEEDS); seed++)
  test(`random concurrent calls keep the promised order, seed ${seed}`, async () => {
    const all = Array.from({ length: Math.ceil(STEPS / LENGTH) }, (_, episode) => episode)
    const failed = await failure({ seed, episodes: EPISODE ? [Number(EPISODE)] : all })
    if (!failed) return
    const { episode } = failed
    const indexes = Array.from({ length: LENGTH }, (_, index) => index + 1)
    let { problem } = failed
    const kept = await shortest(indexes, async (only) => {
      const found = await failure({ seed, episodes: [episode], only, lost: 10_000 })
      if (found) problem = found.problem
      return found !== undefined
    })
    assert.fail(`seed ${seed}, episode ${episode}, steps ${JSON.stringify(kept)}\n${problem}\nfirst: ${failed.problem}`)
  })
