// Transactions and snapshots of the asynchronous class.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { codeOf, deferred, everyCall, open, openMemory, openWal, SqliteError, settled } from './async-database.mjs'
import { freshPath } from './temporary.mjs'

const INSERT = 'INSERT INTO t (id) VALUES (?)'

async function ids(db) {
  return (await db.all('SELECT id FROM t ORDER BY id')).map(({ id }) => id)
}

test('a transaction commits when its callback resolves, and returns the value', async (t) => {
  const db = await openWal(t)
  const result = await db.transaction(async (tx) => {
    await tx.run(INSERT, [1])
    assert.deepEqual(await ids(tx), [1])
    await wait(1)
    await tx.run(INSERT, [2])
    return 'value'
  })
  assert.equal(result, 'value')
  assert.deepEqual(await ids(db), [1, 2])
  assert.equal(await db.transaction(() => 7), 7)
  assert.equal(await db.transaction(() => undefined, {}), undefined)
})

test('a transaction rolls back when its callback rejects or throws, and rejects with the same value', async (t) => {
  const db = await openWal(t)
  const reason = { not: 'an error' }
  const failing = db.transaction(async (tx) => {
    await tx.run(INSERT, [1])
    throw reason
  })
  await assert.rejects(failing, (error) => error === reason)
  const throwing = db.transaction(() => {
    throw reason
  })
  await assert.rejects(throwing, (error) => error === reason)
  assert.deepEqual(await ids(db), [])
})

test('writes outside a transaction wait for its end, in their order', async (t) => {
  const db = await openWal(t)
  const gate = deferred()
  const events = []
  const transaction = db.transaction(async (tx) => {
    await tx.run(INSERT, [1])
    await gate.promise
    await tx.run(INSERT, [2])
    events.push('callback')
  })
  const outside = [3, 4].map((id) => db.run(INSERT, [id]).then(() => events.push(id)))
  const second = db.transaction((tx) => tx.run(INSERT, [5])).then(() => events.push(5))
  assert.equal(await settled(outside[0]), false)
  gate.resolve()
  await Promise.all([transaction, ...outside, second])
  assert.deepEqual(events, ['callback', 3, 4, 5])
  assert.deepEqual(await ids(db), [1, 2, 3, 4, 5])
})

test('values are taken when the call is made, also if the call waits', async (t) => {
  const db = await openWal(t)
  const bytes = Buffer.alloc(100, 1)
  const values = [1, bytes]
  const transaction = db.transaction(() => wait(5))
  const waiting = db.run('INSERT INTO t (id, text) VALUES (?, ?)', values)
  values[0] = 9
  bytes.fill(2)
  await Promise.all([transaction, waiting])
  assert.deepEqual(await db.all('SELECT * FROM t'), [{ id: 1, text: Buffer.alloc(100, 1) }])
})

test('COMMIT waits for calls that were not awaited', async (t) => {
  const db = await openWal(t)
  const calls = []
  await db.transaction((tx) => {
    for (let id = 1; id <= 20; id++) calls.push(tx.run(INSERT, [id]))
    calls.push(
      tx.transaction(async (inner) => {
        await wait(5)
        await inner.run(INSERT, [21])
      }),
    )
    calls.push(tx.run(INSERT, [22]))
    // The caller ignores this failure, and the transaction commits.
    tx.run(INSERT, [1]).catch(() => {})
  })
  await Promise.all(calls)
  assert.equal((await ids(db)).length, 22)
})

test('after the callback has settled, calls of tx reject', async (t) => {
  const db = await openWal(t)
  let kept
  let statement
  let rows
  await db.transaction(async (tx) => {
    kept = tx
    statement = await tx.prepare('SELECT 1')
    rows = tx.iterate('SELECT 1 UNION ALL SELECT 2')
    await rows.next()
  })
  for (const call of [
    () => kept.run(INSERT, [1]),
    () => kept.get('SELECT 1'),
    () => kept.all('SELECT 1'),
    () => kept.iterate('SELECT 1').next(),
    () => kept.exec('SELECT 1'),
    () => kept.pragma('user_version'),
    () => kept.prepare('SELECT 1'),
    () => kept.transaction(() => {}),
    () => statement.get(),
    () => rows.next(),
  ])
    assert.equal(await codeOf(call()), 'STRONGROOM_TRANSACTION_ENDED')
})

test('a nested transaction is a savepoint', async (t) => {
  const db = await openMemory(t)
  await db.transaction(async (tx) => {
    await tx.run(INSERT, [1])
    const failing = tx.transaction(async (inner) => {
      await inner.run(INSERT, [2])
      await inner.transaction((third) => third.run(INSERT, [3]))
      assert.deepEqual(await ids(inner), [1, 2, 3])
      throw new Error('undo')
    })
    await assert.rejects(failing, { message: 'undo' })
    assert.deepEqual(await ids(tx), [1])
    assert.equal(await tx.transaction(async (inner) => (await inner.run(INSERT, [4])).lastInsertRowid), 4)
    assert.equal(await tx.transaction(() => 5, { behavior: 'exclusive' }), 5)
  })
  assert.deepEqual(await ids(db), [1, 4])
})

test('nested transactions run one after the other, and calls of the outer one wait', async (t) => {
  const db = await openMemory(t)
  const events = []
  await db.transaction(async (tx) => {
    const nested = ['a', 'b'].map((name) =>
      tx.transaction(async (inner) => {
        events.push(`${name} begins`)
        await wait(2)
        await inner.get('SELECT 1')
        events.push(`${name} ends`)
      }),
    )
    const outer = tx.run(INSERT, [1]).then(() => events.push('outer'))
    await Promise.all([...nested, outer])
  })
  assert.deepEqual(events, ['a begins', 'a ends', 'b begins', 'b ends', 'outer'])
})

test('a call of an outer object inside a callback rejects instead of waiting for itself', async (t) => {
  const db = await openWal(t)
  const statement = await db.prepare('SELECT 1')
  const rows = db.iterate('SELECT 1')
  await db.transaction(async (tx) => {
    for (const call of [
      ...everyCall(db),
      () => rows.next(),
      () => db.close(),
      () => statement.get(),
      () => tx.transaction(() => db.get('SELECT 1')),
      () => tx.transaction(() => tx.get('SELECT 1')),
    ])
      assert.equal(await codeOf(call()), 'STRONGROOM_IN_TRANSACTION')
    await assert.rejects(db.run(INSERT, [1]), /call tx\.run, not db\.run, inside a transaction/)
  })
  assert.equal(await codeOf(db.read(() => db.get('SELECT 1'))), 'STRONGROOM_IN_TRANSACTION')
  // Another database is not concerned.
  const other = await openMemory(t)
  assert.deepEqual(await db.transaction(() => other.get('SELECT 1 AS x')), { x: 1 })
})

test('work that outlives the callback may call the database', async (t) => {
  const db = await openWal(t)
  let late
  const gate = deferred()
  await db.transaction(() => {
    late = gate.promise.then(() => db.get('SELECT 1 AS x'))
  })
  gate.resolve()
  assert.deepEqual(await late, { x: 1 })
})

test('SQLite may end a transaction itself', async (t) => {
  const db = await openWal(t)
  await db.run(INSERT, [1])
  const failing = db.transaction(async (tx) => {
    await tx.run(INSERT, [2])
    const conflict = tx.run('INSERT OR ROLLBACK INTO t (id) VALUES (1)')
    // These calls are made before the conflict is known, and must not run outside the transaction.
    const behind = [tx.run(INSERT, [3]), tx.exec('INSERT INTO t (id) VALUES (4)')]
    assert.equal(await codeOf(conflict), 'SQLITE_CONSTRAINT_PRIMARYKEY')
    for (const call of behind) assert.equal(await codeOf(call), 'STRONGROOM_TRANSACTION_ENDED')
    assert.equal(await codeOf(tx.run(INSERT, [5])), 'STRONGROOM_TRANSACTION_ENDED')
    assert.equal(await codeOf(db.run(INSERT, [6])), 'STRONGROOM_IN_TRANSACTION')
    return 'ignored'
  })
  assert.equal(await codeOf(failing), 'STRONGROOM_TRANSACTION_ENDED')
  assert.deepEqual(await ids(db), [1])
  const reason = new Error('of the callback')
  const rejecting = db.transaction(async (tx) => {
    await tx.transaction((inner) => inner.run('INSERT OR ROLLBACK INTO t (id) VALUES (1)')).catch(() => {})
    assert.equal(await codeOf(tx.get('SELECT 1')), 'STRONGROOM_TRANSACTION_ENDED')
    throw reason
  })
  await assert.rejects(rejecting, (error) => error === reason)
  await db.run(INSERT, [7])
  assert.deepEqual(await ids(db), [1, 7])
})

test('a failed COMMIT rolls back', async (t) => {
  const db = await openWal(t)
  await db.exec('PRAGMA foreign_keys = ON; CREATE TABLE child (t REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)')
  const failing = db.transaction((tx) => tx.run('INSERT INTO child VALUES (9)'))
  assert.equal(await codeOf(failing), 'SQLITE_CONSTRAINT_FOREIGNKEY')
  assert.deepEqual(await db.all('SELECT * FROM child'), [])
  await db.transaction((tx) => tx.run(INSERT, [1]))
  assert.deepEqual(await ids(db), [1])
})

test('SQL that bounds transactions belongs to transaction()', async (t) => {
  const db = await openWal(t)
  for (const sql of ['BEGIN', 'SAVEPOINT a', '/* a */ begin immediate'])
    assert.equal(await codeOf(db.run(sql)), 'STRONGROOM_OPEN_TRANSACTION', sql)
  assert.equal(
    await codeOf(db.exec(`${INSERT.replace('?', '1')}; BEGIN; DELETE FROM t`)),
    'STRONGROOM_OPEN_TRANSACTION',
  )
  assert.deepEqual(await ids(db), [1])
  await db.exec('BEGIN; INSERT INTO t (id) VALUES (2); COMMIT')
  await db.transaction(async (tx) => {
    for (const sql of ['BEGIN', 'COMMIT', '-- a\nEND', 'ROLLBACK', 'ROLLBACK TRANSACTION']) {
      assert.equal(await codeOf(tx.run(sql)), 'STRONGROOM_IN_TRANSACTION', sql)
      assert.equal(await codeOf(tx.get(sql)), 'STRONGROOM_IN_TRANSACTION', sql)
      assert.equal(await codeOf(tx.iterate(sql).next()), 'STRONGROOM_IN_TRANSACTION', sql)
    }
    await tx.run('SAVEPOINT own')
    await tx.run(INSERT, [3])
    await tx.run('ROLLBACK TO own')
    await tx.run('RELEASE own')
    await tx.run(INSERT, [4])
  })
  assert.deepEqual(await ids(db), [1, 2, 4])
})

// A fixed bug: `tx.exec('COMMIT')` committed, so that a later error of the callback could not roll back.
test('exec() in a transaction refuses every text that bounds transactions', async (t) => {
  const db = await openMemory(t)
  const failing = db.transaction(async (tx) => {
    await tx.run(INSERT, [1])
    for (const sql of [
      'COMMIT',
      'BEGIN',
      'END TRANSACTION',
      'rollback',
      ' ; commit',
      '\ufeffCOMMIT',
      '-- a\nCOMMIT; BEGIN',
      '/* ; */ SELECT 1; /* b */ COMMIT',
      'SELECT \';\' AS "a;", 1 AS [b;], 2 AS `c;`; ROLLBACK',
      'INSERT INTO t (id) VALUES (2); END',
      'CREATE TRIGGER b AFTER INSERT ON t BEGIN SELECT CASE WHEN 1 THEN 2 END; END; COMMIT',
    ])
      assert.equal(await codeOf(tx.exec(sql)), 'STRONGROOM_IN_TRANSACTION', sql)
    await tx.exec(`CREATE TRIGGER a AFTER INSERT ON t WHEN new.id = 7 BEGIN
      SELECT CASE WHEN 1 THEN 2 END; /* END */ DELETE FROM t WHERE id = 8;
    END; -- COMMIT
    SAVEPOINT own; INSERT INTO t (text) VALUES ('COMMIT; ROLLBACK');
    ROLLBACK TRANSACTION TO own; RELEASE own`)
    throw new Error('undo')
  })
  await assert.rejects(failing, { message: 'undo' })
  assert.deepEqual(await ids(db), [])
})

test('the behavior decides when a transaction takes its locks', async (t) => {
  const path = freshPath()
  const db = await open(t, path, { timeout: 20 })
  const other = await open(t, path, { timeout: 20 })
  await db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)')
  const begin = (behavior) => db.transaction(() => codeOf(other.run(INSERT, [1])), { behavior })
  assert.equal(await begin('immediate'), 'SQLITE_BUSY')
  assert.equal(await begin(undefined), 'SQLITE_BUSY')
  assert.equal(
    await db.transaction(() => codeOf(other.get('SELECT * FROM t')), { behavior: 'exclusive' }),
    'SQLITE_BUSY',
  )
  assert.deepEqual(await db.transaction(() => other.run(INSERT, [1]), { behavior: 'deferred' }), {
    changes: 1,
    lastInsertRowid: 1,
  })
  assert.equal(await codeOf(db.transaction(() => {}, { behavior: 'IMMEDIATE' })), 'ERR_INVALID_ARG_VALUE')
  // An unavailable lock is an error of transaction(), whose callback does not run.
  await other.transaction(async () => {
    assert.equal(await codeOf(db.transaction(() => assert.fail('ran'))), 'SQLITE_BUSY')
  })
})

test('a transaction of a read-only database is deferred', async (t) => {
  const path = freshPath()
  const writer = await open(t, path)
  await writer.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)')
  const db = await open(t, path, { readonly: true })
  assert.deepEqual(await db.transaction((tx) => tx.all('SELECT * FROM t')), [])
  assert.equal(await codeOf(db.transaction((tx) => tx.run(INSERT, [1]))), 'SQLITE_READONLY')
})

test('read() sees one state, while writes continue', async (t) => {
  const db = await openWal(t, {}, 3)
  const result = await db.read(async (snapshot) => {
    const before = await snapshot.get('SELECT count(*) AS rows FROM t')
    await writeOutside(db)
    const rows = []
    for await (const row of snapshot.iterate('SELECT id FROM t')) rows.push(row.id)
    const statement = await snapshot.prepare('SELECT count(*) FROM t')
    return [before.rows, rows, await statement.pluck().get(), (await snapshot.all('SELECT * FROM t')).length]
  })
  assert.deepEqual(result, [3, [1, 2, 3], 3, 3])
  assert.deepEqual(await db.get('SELECT count(*) AS rows FROM t'), { rows: 4 })
})

/** Writes from another asynchronous context than the caller's, as another request of a server does. */
const requests = []
async function writeOutside(db) {
  const done = deferred()
  requests.push(() => db.run('INSERT INTO t DEFAULT VALUES').then(done.resolve, done.reject))
  await done.promise
}
const server = setInterval(() => requests.shift()?.(), 1)
after(() => clearInterval(server))

test('read() with one connection owns it, and refuses writes', async (t) => {
  const db = await openMemory(t, {}, 3)
  let outside
  await db.read(async (snapshot) => {
    outside = writeOutside(db)
    assert.equal(await settled(outside), false)
    assert.deepEqual(await snapshot.get('SELECT count(*) AS rows FROM t'), { rows: 3 })
    assert.equal(await codeOf(snapshot.all('DELETE FROM t RETURNING id')), 'SQLITE_READONLY')
  })
  await outside
  assert.deepEqual(await db.get('SELECT count(*) AS rows FROM t'), { rows: 4 })
})

// BEGIN DEFERRED takes no lock, so the first read of the snapshot met the other connection's. The transaction then stayed
// open, and the next call was refused.
test('a read() that finds the database locked leaves no transaction open', async (t) => {
  const path = freshPath()
  const db = await open(t, path, { timeout: 0 })
  await db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)')
  const other = await open(t, path)
  const read = () => db.read((snapshot) => snapshot.all('SELECT id FROM t'))
  await other.transaction(async () => assert.equal(await codeOf(read()), 'SQLITE_BUSY'), { behavior: 'exclusive' })
  await db.run(INSERT, [1])
  assert.deepEqual(await read(), [{ id: 1 }])
})

test('read() on a reader refuses writes and offers no methods that write', async (t) => {
  const db = await openWal(t, {}, 3)
  let kept
  await db.read(async (snapshot) => {
    kept = snapshot
    for (const name of ['run', 'exec', 'pragma', 'transaction']) assert.equal(snapshot[name], undefined)
    const error = await snapshot.all('DELETE FROM t RETURNING id').catch((error) => error)
    assert.ok(error instanceof SqliteError)
    assert.equal(error.code, 'SQLITE_READONLY')
  })
  assert.equal(await codeOf(kept.get('SELECT 1')), 'STRONGROOM_TRANSACTION_ENDED')
  await assert.rejects(
    db.read(() => Promise.reject(new Error('mine'))),
    { message: 'mine' },
  )
  assert.equal(await db.read(() => 5), 5)
  assert.equal(await codeOf(db.read()), 'ERR_INVALID_ARG_TYPE')
  assert.equal(await codeOf(db.transaction('work')), 'ERR_INVALID_ARG_TYPE')
})

test('a nested transaction does not begin after SQLite has ended the outer one', async (t) => {
  const db = await openWal(t)
  await db.run(INSERT, [1])
  const failing = db.transaction(async (tx) => {
    const conflict = tx.run('INSERT OR ROLLBACK INTO t (id) VALUES (1)')
    // The savepoint is made before the conflict is known, and must not begin a transaction of its own.
    const nested = tx.transaction((inner) => inner.run(INSERT, [2]))
    assert.equal(await codeOf(conflict), 'SQLITE_CONSTRAINT_PRIMARYKEY')
    assert.equal(await codeOf(nested), 'STRONGROOM_TRANSACTION_ENDED')
  })
  assert.equal(await codeOf(failing), 'STRONGROOM_TRANSACTION_ENDED')
  await db.run(INSERT, [3])
  assert.deepEqual(await ids(db), [1, 3])
})
