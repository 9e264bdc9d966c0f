// The iterators of the asynchronous class.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { codeOf, openMemory, openWal, settled } from './async-database.mjs'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

const ALL = 'SELECT id FROM t ORDER BY id'

async function idsOf(rows) {
  const ids = []
  for await (const { id } of rows) ids.push(id)
  return ids
}

for (const [name, make] of [
  ['on a reader', openWal],
  ['on the only connection', openMemory],
]) {
  test(`an iterator returns every row in order ${name}`, async (t) => {
    const db = await make(t, {}, 1000)
    assert.deepEqual(
      await idsOf(db.iterate(ALL)),
      Array.from({ length: 1000 }, (_, i) => i + 1),
    )
    assert.deepEqual(await idsOf(db.iterate('SELECT id FROM t WHERE id > ?', [998])), [999, 1000])
    assert.deepEqual(await idsOf(db.iterate('SELECT id FROM t WHERE id = :id', { id: 5 })), [5])
    assert.deepEqual(await idsOf(db.iterate('SELECT id FROM t WHERE false')), [])
    const statement = await db.prepare('SELECT id, text FROM t WHERE id < 3')
    assert.deepEqual(
      (await Array.fromAsync?.(statement.raw().iterate())) ?? null,
      Array.fromAsync
        ? [
            [1, 'row 1'],
            [2, 'row 2'],
          ]
        : null,
    )
  })

  test(`leaving the loop ends the statement ${name}`, async (t) => {
    const db = await make(t, { readers: 1, timeout: 60_000 }, 1000)
    for (const leave of [
      async () => {
        for await (const _ of db.iterate(ALL)) break
      },
      async () => {
        const rows = db.iterate(ALL)
        await rows.next()
        assert.deepEqual(await rows.return('value'), { done: true, value: 'value' })
        assert.deepEqual(await rows.next(), { done: true, value: undefined })
      },
      async () => {
        const rows = db.iterate(ALL)
        await rows.next()
        await assert.rejects(rows.throw(new Error('mine')), { message: 'mine' })
      },
      async () => {
        const rows = db.iterate(ALL)
        rows.next()
        await rows[Symbol.asyncDispose]()
      },
      async () => {
        const rows = db.iterate(ALL)
        for (let i = 0; i < 300; i++) rows.next()
        await rows.return()
      },
    ]) {
      await leave()
      // A write and a read would wait for an open statement.
      await db.run('INSERT INTO t DEFAULT VALUES')
      assert.deepEqual(await db.get('SELECT 1 AS x'), { x: 1 })
      for await (const _ of db.iterate(ALL)) break
    }
  })

  test(`calls of next() without await get the rows in order ${name}`, async (t) => {
    const db = await make(t, {}, 300)
    const rows = db.iterate(ALL)
    const results = await Promise.all(Array.from({ length: 302 }, () => rows.next()))
    assert.deepEqual(
      results.map(({ value }) => value?.id),
      [...Array.from({ length: 300 }, (_, i) => i + 1), undefined, undefined],
    )
  })

  test(`an error of the statement comes after the rows before it ${name}`, async (t) => {
    const db = await make(t, {}, 100)
    const seen = []
    const failing = (async () => {
      for await (const row of db.iterate("SELECT id, CASE id WHEN 50 THEN json('{') ELSE 1 END FROM t"))
        seen.push(row.id)
    })()
    assert.equal(await codeOf(failing), 'SQLITE_ERROR')
    assert.deepEqual(
      seen,
      Array.from({ length: 49 }, (_, i) => i + 1),
    )
    await db.run('INSERT INTO t DEFAULT VALUES')
  })

  test(`an iterator starts with its first row ${name}`, async (t) => {
    const db = await make(t)
    const rows = db.iterate(ALL)
    await db.run('INSERT INTO t DEFAULT VALUES')
    assert.deepEqual(await idsOf(rows), [1])
    const unused = db.iterate(ALL)
    assert.deepEqual(await unused.return(), { done: true, value: undefined })
    assert.deepEqual(await unused.next(), { done: true, value: undefined })
  })
}

test('on the only connection, reads run beside an iterate(), and a write waits for its end', async (t) => {
  const db = await openMemory(t, { timeout: 60_000 }, 300)
  const rows = db.iterate(ALL)
  await rows.next()
  assert.deepEqual(await db.get('SELECT 1 AS x'), { x: 1 })
  assert.deepEqual((await idsOf(db.iterate(ALL))).length, 300)
  const write = db.run('INSERT INTO t DEFAULT VALUES')
  const behind = db.get('SELECT count(*) AS rows FROM t')
  assert.equal(await settled(write), false)
  assert.equal(await settled(behind), false)
  assert.equal((await idsOf(rows)).length, 299)
  await write
  assert.deepEqual(await behind, { rows: 301 })
})

test('on the only connection, a write rejects after the timeout', async (t) => {
  const db = await openMemory(t, { timeout: 30 }, 300)
  for await (const { id } of db.iterate(ALL)) {
    if (id > 1) break
    const writes = [
      db.run('INSERT INTO t DEFAULT VALUES'),
      db.exec('DELETE FROM t'),
      db.pragma('user_version'),
      db.transaction(() => assert.fail('ran')),
    ]
    for (const write of writes) {
      const error = await write.then(assert.fail, (error) => error)
      assert.ok(error instanceof TypeError)
      assert.equal(error.code, 'STRONGROOM_BUSY')
      assert.match(error.message, /an iterate\(\) on the same connection is open.*all\(\).*WAL/s)
      assert.match(error.stack, /async-iterate\.test\.mjs/)
    }
  }
  await db.run('DELETE FROM t')
})

test('a write that returns rows blocks other writes until its end', async (t) => {
  const db = await openWal(t, { timeout: 60_000 }, 300)
  const rows = db.iterate('UPDATE t SET text = 1 RETURNING id')
  await rows.next()
  const write = db.run('INSERT INTO t DEFAULT VALUES')
  assert.equal(await settled(write), false)
  await rows.return()
  await write
  assert.deepEqual(await db.get("SELECT count(*) AS rows FROM t WHERE text = '1'"), { rows: 300 })
})

test('in a transaction, a write beside an open iterate() rejects at once', async (t) => {
  const db = await openWal(t, { timeout: 60_000 }, 300)
  await db.transaction(async (tx) => {
    for await (const { id } of tx.iterate(ALL)) {
      if (id > 3) break
      for (const call of [
        () => tx.run('INSERT INTO t DEFAULT VALUES'),
        () => tx.transaction(() => assert.fail('ran')),
        () => tx.iterate('DELETE FROM t RETURNING id').next(),
      ])
        assert.equal(await codeOf(call()), 'STRONGROOM_BUSY')
      assert.deepEqual(await tx.get('SELECT count(*) AS rows FROM t'), { rows: 300 })
    }
    await tx.run('INSERT INTO t DEFAULT VALUES')
  })
  assert.deepEqual(await db.get('SELECT count(*) AS rows FROM t'), { rows: 301 })
})

test('a transaction ends the iterators that it leaves open', async (t) => {
  const db = await openWal(t, { timeout: 60_000 }, 300)
  let rows
  await db.transaction(async (tx) => {
    rows = tx.iterate(ALL)
    await rows.next()
    await tx.get('SELECT 1')
  })
  assert.equal(await codeOf(rows.next()), 'STRONGROOM_TRANSACTION_ENDED')
  await db.run('INSERT INTO t DEFAULT VALUES')
})

test('get() and all() go to the writer while iterators hold every reader', async (t) => {
  const db = await openWal(t, { readers: 1, timeout: 40 }, 300)
  for await (const { id } of db.iterate(ALL)) {
    if (id > 2) break
    assert.deepEqual(await db.get('SELECT 1 AS x'), { x: 1 })
    assert.equal((await db.all(ALL)).length, 300)
    for (const call of [() => db.iterate(ALL).next(), () => db.read(() => {})]) {
      const error = await call().then(assert.fail, (error) => error)
      assert.equal(error.code, 'STRONGROOM_BUSY')
      assert.match(error.message, /hold every reader/)
    }
  }
})

test('an iterate() waits for a reader', async (t) => {
  const db = await openWal(t, { readers: 1, timeout: 60_000 }, 300)
  const first = db.iterate(ALL)
  await first.next()
  const second = db.iterate(ALL)
  const row = second.next()
  const third = db.read((snapshot) => snapshot.get('SELECT 1 AS x'))
  assert.equal(await settled(row), false)
  await first.return()
  assert.deepEqual(await row, { done: false, value: { id: 1 } })
  await second.return()
  assert.deepEqual(await third, { x: 1 })
})

test('an iterator that is dropped is ended by the garbage collector', async (t) => {
  const db = await openWal(t, { readers: 1, timeout: 60_000 }, 300)
  await (async () => {
    await db.iterate(ALL).next()
  })()
  const second = db.iterate(ALL).next()
  for (let i = 0; i < 50 && !(await settled(second)); i++) collect()
  assert.deepEqual(await second, { done: false, value: { id: 1 } })
})

test('large rows arrive one by one', async (t) => {
  const db = await openWal(t)
  const text = 'x'.repeat(600_000)
  for (let id = 1; id <= 5; id++) await db.run('INSERT INTO t VALUES (?, ?)', [id, text])
  const lengths = []
  for await (const row of db.iterate('SELECT * FROM t')) lengths.push(row.text.length)
  assert.deepEqual(lengths, Array(5).fill(600_000))
})

test('invalid arguments are errors of the first row', async (t) => {
  const db = await openMemory(t)
  for (const [rows, code] of [
    [db.iterate('SELECT ?', []), 'ERR_OUT_OF_RANGE'],
    [db.iterate('SELECTT ?', []), 'SQLITE_ERROR'],
    [db.iterate(5), 'ERR_INVALID_ARG_TYPE'],
    [db.iterate('SELECT 1', undefined, { signl: 1 }), 'ERR_INVALID_ARG_TYPE'],
    [db.iterate('DELETE FROM t'), 'ERR_INVALID_ARG_TYPE'],
    [db.iterate('SELECT missing'), 'SQLITE_ERROR'],
  ]) {
    assert.equal(await codeOf(rows.next()), code)
    assert.deepEqual(await rows.next(), { done: true, value: undefined })
  }
  await db.run('INSERT INTO t DEFAULT VALUES')
})
