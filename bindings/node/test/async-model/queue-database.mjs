// An implementation of the asynchronous class in a few lines: the synchronous class behind queues of promises. The tests
// of the model run this implementation, and variants of it with a fault.
import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import Database, { SqliteError } from 'strongroom'
import { Line } from './line.mjs'

/** The transactions and snapshots whose callbacks run. */
const context = new AsyncLocalStorage()

const isRead = (sql) => /^(SELECT|WITH RECURSIVE endless\(i\) AS \(.*\) SELECT)/.test(sql)
const closed = () => new SqliteError('the database is closed', 'STRONGROOM_CLOSED')
const ended = () => new SqliteError('the transaction is over', 'STRONGROOM_TRANSACTION_ENDED')

/**
 * Returns a function that opens such a database.
 *
 * @param fault - the name of a fault: the tests list them
 */
export function opener(fault) {
  return async (path, options) => new QueueDatabase(path, options, fault)
}

class QueueDatabase {
  open = true
  #fault
  #path
  #options
  #wantsReaders
  #writer
  #lines
  #readers = []
  #isLocal = false
  #closing
  #active = new Set()

  constructor(path, { readers, format, ...options }, fault) {
    this.#fault = fault
    this.#path = path
    this.#options = options
    this.#wantsReaders = readers
    this.#writer = new Database(path, { ...options, format })
    this.#lines = { writer: new Line(fault), readers: [] }
  }

  run = (sql, values, options) => this.#write(sql, options, (db) => call(db, 'run', sql, values))
  exec = (sql, options) => this.#write(sql, options, (db) => void db.exec(sql))
  get = (sql, values, options) => this.#either(sql, options, (db) => call(db, 'get', sql, values))
  all = (sql, values, options) => this.#either(sql, options, (db) => call(db, 'all', sql, values))
  iterate = (sql, values, options) =>
    rows(
      sql,
      options,
      () => this.#either(sql, options, (db) => call(db, 'all', sql, values)),
      this.#fault,
      this.#active,
    )

  prepare = async (sql) => {
    const statement = {}
    for (const method of ['run', 'get', 'all', 'iterate'])
      statement[method] = (values, options) => this[method](sql, values, options)
    return statement
  }

  pragma = (source, { simple, signal } = {}) => {
    const change = /^journal_mode = (\w+)$/.exec(source)?.[1]
    if (!change) return this.#write(source, { signal }, (db) => db.pragma(source, { simple }))
    return this.#write(source, { signal }, async (db) => {
      await this.#closeReaders()
      const mode = db.pragma(source, { simple })
      if (mode === 'wal') this.#openReaders()
      return mode
    })
  }

  transaction = (work, { signal } = {}) => {
    const begin = (db) => {
      if (this.#fault === 'an outside call enters a transaction') this.#lines.writer.skip()
      return inTransaction({ db, work, signal, fault: this.#fault, database: this, closing: () => this.#closing })
    }
    return this.#line(this.#lines.writer, this.#writer, 'BEGIN', { signal, isTransaction: true }, begin)
  }

  read = (work, { signal } = {}) => {
    const begin = (db) =>
      inTransaction({
        db,
        work,
        signal,
        fault: this.#fault,
        database: this,
        isSnapshot: true,
        closing: () => this.#closing,
      })
    return this.#either('SELECT', { signal, isTransaction: true }, begin)
  }

  backup = (path) => this.#either('SELECT', {}, (db) => db.backup(path))
  check = () => this.#either('SELECT', {}, (db) => db.check())
  rekey = ({ key }) =>
    this.#write('', {}, async (db) => {
      const had = this.#readers.length > 0
      await this.#closeReaders()
      db.rekey({ key })
      this.#options = { ...this.#options, key }
      if (had) this.#openReaders()
    })

  close = () => {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close() {
    const lines = [this.#lines.writer, ...this.#lines.readers]
    for (const line of lines) line.close(closed)
    for (const end of this.#active) end(closed())
    await Promise.all(lines.map((line) => line.idle()))
    if (this.#fault === 'close loses a commit')
      this.#writer.exec('DELETE FROM item WHERE id = (SELECT max(id) FROM item)')
    for (const db of [this.#writer, ...this.#readers]) db.close()
    this.open = false
  }

  #openReaders() {
    for (let at = 0; at < this.#wantsReaders; at++) {
      this.#readers.push(new Database(this.#path, this.#options))
      this.#lines.readers.push(new Line(this.#fault))
    }
  }

  async #closeReaders() {
    const [lines, readers] = [this.#lines.readers, this.#readers]
    ;[this.#lines.readers, this.#readers] = [[], []]
    await Promise.all(lines.map((line) => line.idle()))
    for (const db of readers) db.close()
  }

  #write(sql, options, job) {
    if (/TEMP/.test(sql)) this.#isLocal = true
    return this.#line(this.#lines.writer, this.#writer, sql, { ...options, isWrite: true }, (db) => {
      const result = job(db)
      if (!db.inTransaction) return result
      db.exec('ROLLBACK')
      throw new SqliteError('use db.transaction()', 'STRONGROOM_OPEN_TRANSACTION')
    })
  }

  #either(sql, options, job) {
    if (!isRead(sql)) return this.#write(sql, options, job)
    if (this.#readers.length === 0 || this.#isLocal)
      return this.#line(this.#lines.writer, this.#writer, sql, options, job)
    const at = this.#lines.readers.reduce(
      (best, line, index, all) => (line.length < all[best].length ? index : best),
      0,
    )
    return this.#line(this.#lines.readers[at], this.#readers[at], sql, options, job)
  }

  async #line(line, db, sql, options, job) {
    if (context.getStore()?.some(({ database, isSettled }) => database === this && !isSettled))
      throw new SqliteError('call tx.run, not db.run', 'STRONGROOM_IN_TRANSACTION')
    if (this.#closing) throw closed()
    return line.add(sql, options, () => job(db))
  }
}

function call(db, method, sql, values) {
  const statement = db.prepare(sql)
  if (method === 'all' && !statement.reader) return statement.run(values ?? [])
  return Array.isArray(values) ? statement[method](...values) : statement[method](...(values ? [values] : []))
}

/** Returns an iterator over rows that are read at the first call of `next`. */
async function* rows(sql, { signal } = {}, read, fault, active) {
  if (signal?.aborted) throw signal.reason
  let failure
  const end = (error) => {
    failure ??= { error }
  }
  active.add(end)
  signal?.addEventListener('abort', () => end(signal.reason))
  try {
    const all = sql.includes('endless') ? endless() : await read()
    let at = 0
    for (const row of all) {
      if (failure) throw failure.error
      if (fault !== 'iterate loses a row' || ++at % 130 !== 0) yield row
      if (at % 64 === 0) await turn()
    }
    if (failure) throw failure.error
  } finally {
    active.delete(end)
  }
}

function* endless() {
  for (let i = 1; ; i++) yield { i }
}

/** Runs a transaction or a snapshot on a connection. */
async function inTransaction({ db, work, signal, fault, database, isSnapshot, closing }) {
  const entry = { database, isOver: false, isSettled: false }
  const line = new Line(fault)
  if (!(fault === 'a snapshot is none' && isSnapshot)) db.exec(isSnapshot ? 'BEGIN; SELECT * FROM item' : 'BEGIN')
  const tx = inside({ db, line, entry, isSnapshot, fault })
  let ends
  const cut = new Promise((_, reject) => {
    ends = reject
  })
  cut.catch(() => {})
  signal?.addEventListener('abort', () => ends(signal.reason))
  const watch = setInterval(() => closing() && ends(closed()), 1)
  try {
    const done = context.run([...(context.getStore() ?? []), entry], async () => work(tx))
    const result = await Promise.race([done, cut])
    await Promise.race([line.idle(), cut])
    if (entry.isOver) throw ended()
    if (signal?.aborted) throw signal.reason
    entry.isOver = true
    entry.isSettled = true
    if (db.inTransaction) db.exec('COMMIT')
    return result
  } catch (error) {
    entry.isOver = true
    line.close(ended)
    await line.idle()
    entry.isSettled = true
    if (db.inTransaction) db.exec(fault === 'a rollback commits' ? 'COMMIT' : 'ROLLBACK')
    throw error
  } finally {
    clearInterval(watch)
  }
}

/** Returns the methods of a transaction or snapshot. */
function inside({ db, line, entry, isSnapshot, fault, depth = 0 }) {
  const add = async (sql, options, job) => {
    if (entry.isOver) throw ended()
    if (/^(BEGIN|COMMIT|END|ROLLBACK(?! TO))/.test(sql)) throw new SqliteError(sql, 'STRONGROOM_IN_TRANSACTION')
    if (isSnapshot && !isRead(sql)) throw new SqliteError(sql, 'SQLITE_READONLY')
    return line.add(sql, options ?? {}, job, () => {
      entry.isOver = true
    })
  }
  const tx = {
    run: (sql, values, options) => add(sql, { ...options, isWrite: true }, () => call(db, 'run', sql, values)),
    get: (sql, values, options) => add(sql, options, () => call(db, 'get', sql, values)),
    all: (sql, values, options) => add(sql, options, () => call(db, 'all', sql, values)),
    exec: (sql, options) => add('', options, () => void db.exec(sql)),
    pragma: (source, options) => add('', options, () => db.pragma(source, { simple: options?.simple })),
    iterate: (sql, values, options) =>
      rows(sql, options, () => add(sql, options, () => call(db, 'all', sql, values)), fault, new Set()),
    prepare: async (sql) =>
      Object.fromEntries(['run', 'get', 'all'].map((name) => [name, (...rest) => tx[name](sql, ...rest)])),
    transaction: (work) =>
      add('', { isTransaction: true }, async () => {
        const own = { isOver: false }
        const nestedLine = new Line(fault)
        db.exec(`SAVEPOINT nested${depth}`)
        const nested = inside({
          db,
          line: nestedLine,
          entry: nestedEntry(entry, own),
          isSnapshot,
          fault,
          depth: depth + 1,
        })
        try {
          const result = await work(nested)
          await nestedLine.idle()
          if (entry.isOver) throw ended()
          own.isOver = true
          db.exec(`RELEASE nested${depth}`)
          return result
        } catch (error) {
          own.isOver = true
          nestedLine.close(ended)
          await nestedLine.idle()
          if (db.inTransaction && fault !== 'a nested rollback keeps its changes') db.exec(`ROLLBACK TO nested${depth}`)
          if (db.inTransaction) db.exec(`RELEASE nested${depth}`)
          throw error
        }
      }),
  }
  return tx
}

/** Returns the entry of a nested transaction, which is over when the transaction around it is. */
function nestedEntry(outer, own) {
  return {
    get isOver() {
      return outer.isOver || own.isOver
    },
    set isOver(value) {
      outer.isOver = value
    },
  }
}
