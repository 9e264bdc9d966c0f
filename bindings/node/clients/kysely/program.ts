import assert from 'node:assert/strict'
import { promises as fs } from 'node:fs'
import path from 'node:path'
import { FileMigrationProvider, Migrator } from 'kysely/migration'
import type {} from './types.ts'

const { db } = process.argv[2] === 'plain' ? await import('./plain.ts') : await import('./encrypted.ts')

const migrationFolder = path.join(import.meta.dirname, 'migrations')
const migrator = new Migrator({ db, provider: new FileMigrationProvider({ fs, path, migrationFolder }) })
const { error, results } = await migrator.migrateToLatest()
assert.equal(error, undefined)
assert.deepEqual(results, [{ migrationName: '0001_notes', direction: 'Up', status: 'Success' }])

const note = await db.insertInto('notes').values({ title: 'buy milk' }).returningAll().executeTakeFirstOrThrow()
assert.deepEqual(note, { id: 1, title: 'buy milk', done: 0 })

await db.transaction().execute((tx) => tx.updateTable('notes').set({ done: 1 }).where('id', '=', note.id).execute())
await assert.rejects(
  db.transaction().execute(async (tx) => {
    await tx.deleteFrom('notes').execute()
    throw new Error('rolled back')
  }),
  /rolled back/,
)
assert.deepEqual(await db.selectFrom('notes').selectAll().execute(), [{ id: 1, title: 'buy milk', done: 1 }])
await db.destroy()
