// The addon's asynchronous interface, without the TypeScript layer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BIGINTS, Client, GET, IN_TRANSACTION, ONLY_FIRST, PREPARE, READ_ONLY } from './async-native.mjs'
import { freshPath } from './temporary.mjs'

test('opens, runs, gets, and closes', async () => {
  const db = await Client.open(freshPath())
  assert.deepEqual(db.facts, { format: 'plain', readonly: false, journal: 'delete' })
  await db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)')
  const first = await db.run('INSERT INTO t (a, b) VALUES (?, ?)', ['x', new Uint8Array([1, 2])])
  assert.deepEqual([first.changes, first.lastInsertRowid], [1, 1])
  const second = await db.run('INSERT INTO t (a, b) VALUES (?, ?)', [2n ** 60n, null], { flags: BIGINTS })
  assert.deepEqual([second.changes, second.lastInsertRowid], [1, 2n])
  assert.deepEqual(await db.get('SELECT * FROM t WHERE id = ?', [1]), { id: 1, a: 'x', b: Buffer.from([1, 2]) })
  assert.deepEqual(await db.all('SELECT a FROM t ORDER BY id', [], { flags: BIGINTS }), [{ a: 'x' }, { a: 2n ** 60n }])
  assert.equal(await db.get('SELECT a FROM t', [], { flags: ONLY_FIRST }), 'x')
  assert.equal(await db.get('SELECT a FROM t WHERE id = 7'), undefined)
  await db.close()
})

test('a call fails with the error of the synchronous class, and the connection goes on', async () => {
  const db = await Client.open(':memory:')
  await assert.rejects(db.get('SELECT * FROM missing'), { code: 'SQLITE_ERROR', message: 'no such table: missing' })
  await assert.rejects(db.get('SELECT ?', ['\ud800']), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' })
  await assert.rejects(db.get('SELECT * FROM missing WHERE a = ?', ['\ud800']), { code: 'SQLITE_ERROR' })
  await assert.rejects(db.run('SELECT 1; SELECT 2'), { name: 'RangeError' })
  await assert.rejects(db.get('CREATE TABLE t (a)'), { code: 'STRONGROOM_NO_COLUMNS' })
  await assert.rejects(db.run('CREATE TABLE t (a)', [], { flags: READ_ONLY }), { code: 'SQLITE_READONLY' })
  await assert.rejects(db.run('SELECT 1', [], { flags: IN_TRANSACTION }), { code: 'STRONGROOM_TRANSACTION_ENDED' })
  assert.deepEqual(await db.get('SELECT 1 AS a'), { a: 1 })
  await db.close()
})

test('a prepared statement is described', async () => {
  const db = await Client.open(':memory:')
  await db.exec('CREATE TABLE t (a INT)')
  const { value } = await db.call(PREPARE, 'SELECT a, 1 AS b FROM t')
  assert.deepEqual(
    [value.source, value.reader, value.readonly, value.columns.map(({ name, table, type }) => [name, table, type])],
    ['SELECT a, 1 AS b FROM t', true, true, [['a', 't', 'INT'], ['b', undefined, undefined]]],
  )
  await db.close()
})

test('SQL that leaves a transaction open is rolled back and fails', async () => {
  const db = await Client.open(':memory:')
  await db.exec('CREATE TABLE t (a)')
  const code = 'STRONGROOM_OPEN_TRANSACTION'
  await assert.rejects(db.exec('BEGIN; INSERT INTO t VALUES (1)'), (error) => error.code === code && !error.state.open)
  await assert.rejects(db.run('SAVEPOINT a'), { code })
  await db.exec('BEGIN; INSERT INTO t VALUES (2); COMMIT')
  assert.deepEqual(await db.all('SELECT a FROM t'), [{ a: 2 }])
  await db.close()
})

test('calls of the writer run in the order in which they were made', async () => {
  const db = await Client.open(':memory:')
  await db.exec('CREATE TABLE t (a)')
  const ended = []
  const calls = Array.from({ length: 500 }, (_, i) =>
    (i % 2 === 0 ? db.run('INSERT INTO t VALUES (?)', [i]) : db.call(GET, 'SELECT count(*) AS n FROM t')).then(
      ({ rows }) => {
        ended.push(i)
        if (i % 2 !== 0) assert.equal(rows[0].n, (i + 1) / 2)
      },
    ),
  )
  await Promise.all(calls)
  assert.deepEqual(ended, Array.from({ length: 500 }, (_, i) => i))
  await db.close()
})

test('a close rejects nothing that runs, and a second process sees the committed rows', async () => {
  const path = freshPath()
  const db = await Client.open(path)
  await db.exec('CREATE TABLE t (a)')
  const running = db.run('INSERT INTO t VALUES (1)')
  await running
  await db.close()
  const again = await Client.open(path)
  assert.deepEqual(await again.all('SELECT a FROM t'), [{ a: 1 }])
  await again.close()
})
