import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import './database.mjs'
import { folder } from './temporary.mjs'

const script = fileURLToPath(new URL('fixtures/fuzz.mjs', import.meta.url))
// A longer run: STRONGROOM_FUZZ_COUNT=500 STRONGROOM_FUZZ_SEED=1000 node --test test/fuzz.test.mjs
/** The number of sequences, the first seed, and the number of operations per sequence. */
const count = Number(process.env.STRONGROOM_FUZZ_COUNT ?? 6)
const first = Number(process.env.STRONGROOM_FUZZ_SEED ?? 1)
const length = Number(process.env.STRONGROOM_FUZZ_LENGTH ?? 1500)
/** The maximum number of sequences that `shortest` tries. */
const ATTEMPTS = 200

const seen = new Set()

/** Runs operations in a process of their own. Returns the failure, or undefined. */
function failure(seed, operations) {
  const own = mkdtempSync(join(folder, 'fuzz-'))
  try {
    const { status, signal, stdout, stderr } = spawnSync(
      process.execPath,
      [script, own, `${seed}`, JSON.stringify(operations)],
      {
        encoding: 'utf8',
      },
    )
    if (status === 0 && signal === null) {
      const { returned, codes } = JSON.parse(stdout)
      for (const code of codes) seen.add(code)
      if (operations.length >= 1000) assert.ok(returned > operations.length / 3, `only ${returned} calls returned`)
      return undefined
    }
    return `${signal ?? `exit code ${status}`}: ${stderr.slice(0, 3000)}`
  } finally {
    rmSync(own, { recursive: true, force: true })
  }
}

/** Returns a short sequence that still fails: removes parts as long as the rest fails. */
function shortest(seed, operations) {
  let [kept, attempts] = [operations, 0]
  for (let size = kept.length >> 1; size > 0 && attempts < ATTEMPTS; ) {
    let shorter = false
    for (let start = 0; start < kept.length && attempts < ATTEMPTS; attempts++) {
      const candidate = [...kept.slice(0, start), ...kept.slice(start + size)]
      if (failure(seed, candidate) === undefined) start += size
      else {
        kept = candidate
        shorter = true
      }
    }
    if (!shorter || size > 1) size >>= 1
  }
  return kept
}

for (let seed = first; seed < first + count; seed++)
  test(`random calls of the whole API fail only with documented errors, seed ${seed}`, () => {
    const all = Array.from({ length }, (_, index) => index)
    if (failure(seed, all) === undefined) return
    const short = shortest(seed, all)
    assert.fail(`seed ${seed}, operations ${JSON.stringify(short)}: ${failure(seed, short)}`)
  })

test('the random calls caused errors of every kind', { skip: count < 6 && 'skipped: too few sequences' }, () => {
  for (const code of [
    'ERR_INVALID_ARG_TYPE',
    'ERR_INVALID_ARG_VALUE',
    'ERR_OUT_OF_RANGE',
    'STRONGROOM_BUSY',
    'STRONGROOM_CLOSED',
    'SQLITE_ERROR',
    'MINE',
  ])
    assert.ok(seen.has(code), `${code} was never seen`)
})
