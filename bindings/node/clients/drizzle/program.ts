import assert from 'node:assert/strict'
import Strongroom from 'better-sqlite3'
import { eq } from 'drizzle-orm'
import { migrate } from 'drizzle-orm/better-sqlite3/migrator'
import { lists, notes } from './schema.ts'
import type {} from './types.ts'

const { db } = process.argv[2] === 'plain' ? await import('./plain.ts') : await import('./encrypted.ts')
assert.ok(db.$client instanceof Strongroom)

migrate(db, { migrationsFolder: 'drizzle' })
migrate(db, { migrationsFolder: 'drizzle' })

const [list] = db.insert(lists).values({ name: 'errands' }).returning().all()
const [note] = db.insert(notes).values({ listId: list.id, title: 'buy milk' }).returning().all()
assert.deepEqual(note, { id: 1, listId: 1, title: 'buy milk', done: false })

db.transaction((tx) => tx.update(notes).set({ done: true }).where(eq(notes.id, note.id)).run())
assert.throws(
  () =>
    db.transaction((tx) => {
      tx.delete(notes).run()
      throw new Error('rolled back')
    }),
  /rolled back/,
)
assert.throws(() => db.insert(lists).values({ name: 'errands' }).run(), { code: 'SQLITE_CONSTRAINT_UNIQUE' })

const stored = await db.query.lists.findMany({ columns: { name: true }, with: { notes: true } })
assert.deepEqual(stored, [{ name: 'errands', notes: [{ id: 1, listId: 1, title: 'buy milk', done: true }] }])
db.$client.close()
