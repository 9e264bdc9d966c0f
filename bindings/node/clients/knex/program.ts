import assert from 'node:assert/strict'
import Strongroom from 'better-sqlite3'
import knex from 'knex'

const { db } = process.argv[2] === 'plain' ? await import('./plain.ts') : await import('./encrypted.ts')

await db.migrate.latest({ directory: 'migrations' })

const [note] = await db('notes').insert({ title: 'buy milk' }).returning('*')
assert.deepEqual(note, { id: 1, title: 'buy milk', done: 0 })

await db.transaction((tx) => tx('notes').where({ id: note.id }).update({ done: true }))
await assert.rejects(
  db.transaction(async (tx) => {
    await tx('notes').delete()
    throw new Error('rolled back')
  }),
  /rolled back/,
)
assert.deepEqual(await db('notes'), [{ id: 1, title: 'buy milk', done: 1 }])
await db.destroy()

// Every connection of the pool uses Strongroom and has the key.
const pooled = knex({ ...db.client.config, pool: { min: 2, max: 2 } })
const connections = await Promise.all([pooled.client.acquireConnection(), pooled.client.acquireConnection()])
assert.notEqual(connections[0], connections[1])
for (const connection of connections) {
  assert.ok(connection instanceof Strongroom)
  assert.deepEqual(await pooled('notes').connection(connection).pluck('title'), ['buy milk'])
  await pooled.client.releaseConnection(connection)
}
await pooled.destroy()

if (process.argv[2] === 'encrypted') {
  process.env.NOTES_PASSPHRASE = 'wrong'
  db.initialize()
  await assert.rejects(async () => await db('notes'), { code: 'STRONGROOM_WRONG_KEY' })
  await db.destroy()
}
