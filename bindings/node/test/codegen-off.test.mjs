import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import './database.mjs'

const rows = fileURLToPath(new URL('rows.test.mjs', import.meta.url))
const statement = fileURLToPath(new URL('statement.test.mjs', import.meta.url))
const batches = fileURLToPath(new URL('batches.test.mjs', import.meta.url))
const flag = '--disallow-code-generation-from-strings'

test('rows are the same with --disallow-code-generation-from-strings', () => {
  for (const file of [rows, statement, batches]) {
    // With the runner's NODE_TEST_CONTEXT, the child would report a failure to the runner and exit with 0.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const { status, stdout } = spawnSync(process.execPath, [flag, '--test-reporter=tap', file], {
      encoding: 'utf8',
      env,
    })
    assert.equal(status, 0, stdout)
    assert.match(stdout, /# pass [1-9]/)
  }
})

test('--disallow-code-generation-from-strings is in effect', () => {
  const { status } = spawnSync(process.execPath, [flag, '-e', "new Function('')"])
  assert.notEqual(status, 0)
})
