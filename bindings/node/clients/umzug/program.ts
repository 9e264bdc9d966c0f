import assert from 'node:assert/strict'
import Strongroom from 'strongroom'
import { type RunnableMigration, Umzug } from 'umzug'
import { migrations } from './migrations.ts'
import { SqliteStorage } from './storage.ts'

const { db } = process.argv[2] === 'plain' ? await import('./plain.ts') : await import('./encrypted.ts')

const createUmzug = (migrations: RunnableMigration<Strongroom>[]) =>
  new Umzug({ migrations, context: db, storage: new SqliteStorage(), logger: undefined })
const umzug = createUmzug(migrations)
assert.ok(umzug.options.context instanceof Strongroom)

const names = (list: { name: string }[]) => list.map(({ name }) => name)
const columns = () => db.prepare("SELECT name FROM pragma_table_info('note')").pluck().all()

assert.deepEqual(names(await umzug.pending()), ['0001-notes', '0002-done'])
await umzug.up()
assert.deepEqual(columns(), ['id', 'title', 'done'])
await umzug.down({ to: 0 })
assert.deepEqual(columns(), [])
assert.deepEqual(names(await umzug.executed()), [])

await umzug.up({ to: '0001-notes' })
db.transaction(() => db.prepare('INSERT INTO note (title) VALUES (?)').run('buy milk'))()
await umzug.up()
await umzug.down()
assert.deepEqual(columns(), ['id', 'title'])
assert.deepEqual(names(await umzug.pending()), ['0002-done'])

const failing: RunnableMigration<Strongroom> = {
  name: '0003-failing',
  up: async ({ context }) =>
    context.transaction(() => {
      context.exec('DROP TABLE note')
      throw new Error('rolled back')
    })(),
}
await assert.rejects(createUmzug([...migrations, failing]).up(), /rolled back/)
assert.deepEqual(names(await umzug.executed()), ['0001-notes', '0002-done'])
assert.deepEqual(db.prepare('SELECT * FROM note').all(), [{ id: 1, title: 'buy milk', done: 0 }])
db.close()
