// Performs the steps of an episode, and records when each call was made, when it ended and how.
import { setImmediate as turn } from 'node:timers/promises'
import { EMPTY, OPERATIONS, SCHEMA } from './operations.mjs'
import { loop, pairs, Thrown } from './rows.mjs'
import { sqlOf } from './shown.mjs'

/** The number of calls that may be under way. */
const MOST = 40

const turns = async (count) => {
  for (let at = 0; at < count; at++) await turn()
}

export class Driver {
  /** The sessions: each is one opened database, with its records in the order of their calls. */
  sessions = []
  /** The records of the calls that have not ended. */
  unsettled = new Set()

  #episode
  #open
  #path
  #backup
  /** The key of the file now, and the other one. */
  #keys
  #clock = 0
  #underWay = new Set()
  #db
  #statements
  #lastTransaction

  /**
   * @param episode - an episode of plan.mjs
   * @param open - opens the database: `(path, options) => Promise<AsyncDatabase>`
   * @param path - a path for the database
   * @param backup - reads the content of a backup that has one of some keys, and removes it: `(path, keys) => { items, columns }`
   */
  constructor({ episode, open, path, backup }) {
    this.#episode = episode
    this.#open = open
    this.#path = path
    this.#backup = backup
    this.#keys = episode.format === 'plain' ? [undefined] : [Buffer.alloc(32, 0x5a), Buffer.alloc(32, 0xa5)]
  }

  /** The key of the file now. */
  get key() {
    return this.#keys[0]
  }

  async run() {
    await this.#begin(this.#episode.first)
    for (const step of this.#episode.steps) {
      await turns(step.turns)
      while (this.#underWay.size > MOST) await Promise.race(this.#underWay)
      const ended = step.kind === 'reopen' ? this.#reopen(step) : this.#start(step, this.#db, this.#now.records)
      if (step.wait || step.kind === 'reopen') await ended
    }
    await this.#close()
  }

  get #now() {
    return this.sessions.at(-1)
  }

  /** Opens the database. */
  async #begin({ journal, readers }) {
    const { format, inMemory } = this.#episode
    const isNew = inMemory || this.sessions.length === 0
    const options = { readers, timeout: 60_000, ...(this.key && { key: this.key, ...(isNew && { format }) }) }
    this.#db = await this.#open(inMemory ? ':memory:' : this.#path, options)
    const mode = await this.#db.pragma(`journal_mode = ${journal}`, { simple: true })
    if (isNew) await this.#db.exec(SCHEMA)
    this.#statements = new Map()
    this.#lastTransaction = undefined
    for (const operation of Object.values(OPERATIONS))
      if (
        typeof operation.sql === 'string' &&
        !['exec', 'pragma'].includes(operation.method) &&
        operation.sql !== 'SELEC 1'
      )
        this.#statements.set(operation.sql, await this.#db.prepare(operation.sql))
    const isOne = inMemory || mode !== 'wal' || readers === 0
    this.sessions.push({ records: [], isOne, isNew, initial: EMPTY })
  }

  /** Closes the database while calls are under way. */
  async #close(late = 0) {
    const session = this.#now
    session.closed = ++this.#clock
    const closing = this.#db.close()
    for (let at = 0; at < late; at++) this.#start({ index: -1, kind: 'late' }, this.#db, session.records)
    await closing
    if (this.#db.open) throw new Error('the database is open after close()')
    await this.settled()
  }

  async #reopen({ late, next }) {
    await this.#close(late)
    await this.#begin(next)
  }

  async settled() {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  /** Starts a step. The promise never rejects. */
  #start(step, scope, records) {
    const record = { step, kind: step.kind, operation: OPERATIONS[step.operation] }
    const kinds = {
      write: () => this.#call(record, scope),
      read: () => this.#call(record, scope),
      iterate: () => this.#iterate(record, scope, records),
      transaction: () => this.#transaction(record, scope),
      snapshot: () => this.#snapshot(record),
      stale: () => this.#lastTransaction?.run('DELETE FROM item') ?? Promise.resolve('no transaction'),
      outside: () => (step.at % 2 === 0 ? this.#db.run('DELETE FROM item WHERE id < 0') : this.#db.get('SELECT 1')),
      refused: () => scope.get(OPERATIONS.returning.sql, [1, 'refused']),
      late: () => this.#db.run('DELETE FROM item'),
      backup: () => this.#copy(),
      check: () => this.#db.check(),
      rekey: () => this.#rekey(),
      journal: () => this.#db.pragma(`journal_mode = ${step.journal}`, { simple: true }),
      temporary: () => this.#db.exec('CREATE TEMP TABLE IF NOT EXISTS own (a)'),
    }
    if (step.kind !== 'iterate') this.#called(record, records)
    const ended = this.#outcome(record, kinds[step.kind])
    this.#underWay.add(ended)
    ended.then(() => this.#underWay.delete(ended))
    return ended
  }

  #called(record, records) {
    record.called = ++this.#clock
    records.push(record)
    this.unsettled.add(record)
  }

  async #outcome(record, make) {
    try {
      let promise
      try {
        promise = make()
      } catch (error) {
        record.problem = `threw instead of returning a promise: ${error.stack}`
        throw error
      }
      record.value = await promise
      record.isResolved = true
    } catch (error) {
      record.error = error
    }
    record.ended = ++this.#clock
    record.seen ??= record.ended
    if (record.kind === 'transaction') this.#lastTransaction = record.scope ?? this.#lastTransaction
    this.unsettled.delete(record)
  }

  /** Returns the options of a call that is cancelled, and cancels the call after its turns. */
  #cancellation(record) {
    const { abort } = record.step
    if (abort === undefined) return {}
    const controller = new AbortController()
    record.reason = { cancelled: record.step.index }
    const cancel = () => {
      record.aborted = ++this.#clock
      controller.abort(record.reason)
    }
    if (abort < 0) cancel()
    else if (abort === 0) queueMicrotask(cancel)
    else turns(abort).then(cancel)
    return { signal: controller.signal }
  }

  #call(record, scope) {
    const { step, operation } = record
    const parameters = step.parameters
    const options = this.#cancellation(record)
    const sql = sqlOf(operation, parameters)
    if (operation.method === 'exec') return scope.exec(sql, options)
    if (operation.method === 'pragma') return scope.pragma(sql, { simple: true, ...options })
    const statement = step.isPrepared && this.#prepared(scope, sql)
    return statement
      ? statement(operation.method, parameters, options)
      : scope[operation.method](sql, parameters, options)
  }

  /** Returns the calls of a statement: of the database's, or of a new one in a transaction or snapshot. */
  #prepared(scope, sql) {
    if (scope === this.#db) {
      const statement = this.#statements.get(sql)
      return (method, ...values) => statement[method](...values)
    }
    return async (method, ...values) => (await scope.prepare(sql))[method](...values)
  }

  async #transaction(record, scope) {
    const { step } = record
    record.inner = []
    const work = async (tx) => {
      record.scope = tx
      await this.#inside(record, tx)
      if (step.end === 'throw') {
        record.thrown = new Thrown(`step ${step.index}`)
        throw record.thrown
      }
      return step.index
    }
    return scope.transaction(work, { ...(step.behavior && { behavior: step.behavior }), ...this.#cancellation(record) })
  }

  #snapshot(record) {
    record.inner = []
    const work = async (snapshot) => {
      record.scope = snapshot
      await this.#inside(record, snapshot)
      return record.step.index
    }
    return this.#db.read(work, this.#cancellation(record))
  }

  /** Makes the calls of a transaction or snapshot. */
  async #inside(record, scope) {
    for (const step of record.step.inner) {
      await turns(step.turns)
      const ended = this.#start(step, scope, record.inner)
      if (step.wait) await ended
    }
  }

  async #copy() {
    const path = `${this.#path}-copy-${this.#clock}`
    await this.#db.backup(path)
    // A change of the key may come before or after the copy.
    return this.#backup(path, this.#keys)
  }

  async #rekey() {
    if (this.#keys.length === 1 || this.#episode.inMemory) return 'not encrypted'
    const [present, next] = this.#keys
    await this.#db.rekey({ key: next })
    this.#keys = [next, present]
  }

  /** Reads rows with an iterator, which starts at the first call of `next`. */
  async #iterate(record, scope, records) {
    const { step, operation } = record
    const controller = new AbortController()
    const options = step.leave === 'abort' ? { signal: controller.signal } : {}
    const make = step.isPrepared && this.#prepared(scope, operation.sql)
    const iterator =
      make && scope === this.#db
        ? make('iterate', undefined, options)
        : scope.iterate(operation.sql, undefined, options)
    await turns(step.lazy)
    if (step.take === 0) return await iterator.return()
    this.#called(record, records)
    record.rows = []
    const take = (row) => {
      record.seen ??= ++this.#clock
      record.rows.push(row)
      if (step.leave !== 'abort' || record.rows.length !== step.take) return
      record.reason = { left: step.index }
      controller.abort(record.reason)
    }
    if (step.pairs) await pairs(iterator, step, take)
    else await loop(iterator, step, take)
  }
}
