import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { DIFFERENCES } from '../fixtures/compile-options.mjs'

test('docs/compilation.md lists exactly the differences in the compile options', () => {
  const text = readFileSync(new URL('../../../../docs/compilation.md', import.meta.url), 'utf8')
  const rows = text.split('\n').filter((line) => line.startsWith('| `'))
  const names = rows.flatMap((row) => [...row.split('|')[1].matchAll(/`(\w+)/g)].map(([, name]) => name))
  // SQLite does not list TRUSTED_SCHEMA among its compile options.
  assert.deepEqual(new Set(names), new Set([...Object.keys(DIFFERENCES), 'TRUSTED_SCHEMA']))
})
