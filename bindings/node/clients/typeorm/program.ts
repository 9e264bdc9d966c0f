import assert from 'node:assert/strict'
import Strongroom from 'better-sqlite3'
import type { BetterSqlite3Driver } from 'typeorm/driver/better-sqlite3/BetterSqlite3Driver.js'
import { Note } from './note.ts'

const { source } = process.argv[2] === 'plain' ? await import('./plain.ts') : await import('./encrypted.ts')
await source.initialize()
assert.ok((source.driver as BetterSqlite3Driver).databaseConnection instanceof Strongroom)

const notes = source.getRepository(Note)
const note = await notes.save({ title: 'buy milk' })
assert.equal(note.id, 1)

await source.transaction((manager) => manager.update(Note, note.id, { done: true }))
await assert.rejects(
  source.transaction(async (manager) => {
    await manager.clear(Note)
    throw new Error('rolled back')
  }),
  /rolled back/,
)
assert.deepEqual(await notes.find(), [{ id: 1, title: 'buy milk', done: true }])
await source.destroy()

if (process.argv[2] === 'encrypted') {
  process.env.NOTES_PASSPHRASE = 'wrong'
  await assert.rejects(source.initialize(), { code: 'STRONGROOM_WRONG_KEY' })
}
