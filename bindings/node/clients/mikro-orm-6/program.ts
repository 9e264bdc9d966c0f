import assert from 'node:assert/strict'
import Strongroom from 'better-sqlite3'
import { Note } from './schema.ts'

const { orm } = process.argv[2] === 'plain' ? await import('./plain.ts') : await import('./encrypted.ts')
const { client } = orm.em.getConnection().getKnex()
const connection = await client.acquireConnection()
assert.ok(connection instanceof Strongroom)
await client.releaseConnection(connection)

const migrations = await orm.migrator.up()
assert.deepEqual(
  migrations.map(({ name }) => name),
  ['Migration20251201000000'],
)

const em = orm.em.fork()
const note = em.create(Note, { title: 'buy milk' })
await em.flush()
assert.equal(note.id, 1)

await em.transactional(async (tx) => {
  await tx.nativeUpdate(Note, note.id, { done: true })
})
await assert.rejects(
  em.transactional(async (tx) => {
    await tx.nativeDelete(Note, {})
    throw new Error('rolled back')
  }),
  /rolled back/,
)
const [stored] = await orm.em.fork().findAll(Note)
assert.deepEqual({ ...stored }, { id: 1, title: 'buy milk', done: true })
await orm.close()

if (process.argv[2] === 'encrypted') {
  process.env.NOTES_PASSPHRASE = 'wrong'
  await assert.rejects(orm.reconnect(), { code: 'STRONGROOM_WRONG_KEY' })
}
