import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { DIFFERENCES } from '../fixtures/compile-options.mjs'

test('docs/compilation.md lists every difference of the compile options, and no other', () => {
  const text = readFileSync(new URL('../../../../docs/compilation.md', import.meta.url), 'utf8')
  const rows = text.split('\n').filter((line) => line.startsWith('| `'))
  const names = rows.flatMap((row) => [...row.split('|')[1].matchAll(/`(\w+)/g)].map(([, name]) => name))
  // SQLite does not list this one among its compile options.
  assert.deepEqual(new Set(names), new Set([...Object.keys(DIFFERENCES), 'TRUSTED_SCHEMA']))
})
