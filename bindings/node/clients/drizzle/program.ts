import assert from 'node:assert/strict'
import Strongroom from 'better-sqlite3'
import { eq } from 'drizzle-orm'
import { migrate } from 'drizzle-orm/better-sqlite3/migrator'
import { notes } from './schema.ts'

const { db } = process.argv[2] === 'plain' ? await import('./plain.ts') : await import('./encrypted.ts')
assert.ok(db.$client instanceof Strongroom)

migrate(db, { migrationsFolder: 'drizzle' })

const [note] = db.insert(notes).values({ title: 'buy milk', done: false }).returning().all()
assert.deepEqual(note, { id: 1, title: 'buy milk', done: false })

db.transaction((tx) => tx.update(notes).set({ done: true }).where(eq(notes.id, note.id)).run())
assert.throws(() =>
  db.transaction((tx) => {
    tx.delete(notes).run()
    throw new Error('rolled back')
  }),
)
assert.deepEqual(await db.select().from(notes), [{ id: 1, title: 'buy milk', done: true }])
db.$client.close()
