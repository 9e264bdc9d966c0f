import assert from 'node:assert/strict'
import { test } from 'node:test'
import { open } from 'strongroom/async'
import { freshPath } from './temporary.mjs'

const ENDLESS = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n'

// A fixed bug: `close` dropped the first batch of an iterator that waited for a reader, and the iterator still counted as
// the holder of that reader. A change of the journal mode waited for the end of the hold, and rejected only after `timeout`.
test('close() ends a call that waits for the readers to close', async () => {
  const db = await open(freshPath(), { readers: 1, timeout: 60_000 })
  await db.pragma('journal_mode = wal')
  const controller = new AbortController()
  const running = db.get(ENDLESS, [], { signal: controller.signal })
  const first = db.iterate('SELECT 1').next()
  const alone = db.pragma('journal_mode = delete')
  const closing = db.close()
  controller.abort(new Error('mine'))
  await assert.rejects(running, { message: 'mine' })
  await assert.rejects(first, { code: 'STRONGROOM_CLOSED' })
  await assert.rejects(alone, { code: 'STRONGROOM_CLOSED' })
  await closing
})
