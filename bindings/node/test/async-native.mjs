// A client of the addon's asynchronous interface, for the tests of the interface itself.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)
const dist = dirname(require.resolve('strongroom'))
export const addon = require(join(dist, 'load/loader.js')).addon()
const { Calls, list } = require(join(dist, 'api/calls.js'))
const { readerOf } = require(join(dist, 'api/build-row.js'))
const { fromNative } = require(join(dist, 'api/errors.js'))

export const [RUN, GET, ALL, START, MORE, END, EXEC, PREPARE, RELEASE, CONTROL] = Array(10).keys()
export const [BIGINTS, ONLY_FIRST, IN_TRANSACTION, HOLD, READ_ONLY, ANY_COLUMNS] = [16, 32, 64, 128, 256, 512]
export const [ROWS, OUTCOME, FAILED, VALUE, PROGRESS, DONE] = Array(6).keys()
export const [WRITER, READERS] = [0, -1]
/** The number of rows after which the client lets the event loop turn. */
const TURN = 1000

const calls = Calls.of(addon)
const pending = new Map()
let ticket = 0
/** The largest number of rows that one drain has delivered. */
export const seen = { drains: 0 }

// The package uses libuv in Node, so these tests use the way of the other hosts.
const [hub, drain, hold, submit, columns] = addon.asynchronous(turn, deliver, false)

export { columns, hold, hub, submit }

function turn() {
  seen.drains++
  if (drain(list, TURN)) setImmediate(turn)
}

function deliver(number, kind, value) {
  const call = pending.get(number)
  if (call === undefined) throw new Error(`a reply to the unknown ticket ${number}`)
  const state = { thread: calls.ints[8], open: (calls.ints[9] & 1) !== 0, wal: (calls.ints[9] & 2) !== 0 }
  const settle = (end) => {
    if (!call.keeps) pending.delete(number)
    if (pending.size === 0) hold(false)
    end()
  }
  switch (kind) {
    case ROWS: {
      const [count, done, layout, values] = calls.ints
      if (layout === 0 && count > 0) call.rows.push(value)
      else if (count > 0) readerOf(calls, call.shape, columns()).many(call.rows, count, value, values)
      if (call.kind !== ALL || done)
        settle(() => call.resolve({ rows: call.rows.splice(0), done: done !== 0, ...state }))
      return
    }
    case OUTCOME: {
      const changes = calls.numbers[2]
      const lastInsertRowid = call.flags & BIGINTS ? calls.bigints[3] : calls.numbers[3]
      return settle(() => call.resolve({ changes, lastInsertRowid, ...state }))
    }
    case FAILED:
      return settle(() => call.reject(Object.assign(fromNative(value), { state })))
    case PROGRESS:
      return call.progress?.(value)
    default:
      return settle(() => call.resolve(kind === VALUE ? { value, ...state } : state))
  }
}

/** Returns a promise for the replies to a new ticket, with the ticket. */
export function expectReply(call = {}, number = ++ticket) {
  const promise = new Promise((resolve, reject) => {
    if (pending.size === 0) hold(true)
    pending.set(number, { rows: [], shape: 'object', flags: 0, ...call, resolve, reject })
  })
  return Object.assign(promise, { ticket: number })
}

/** Forgets a call that gets no reply. */
export function forget({ ticket: number }) {
  pending.delete(number)
  if (pending.size === 0) hold(false)
}

export class Client {
  constructor(path, options = {}) {
    const given = path === ':memory:' ? options : { path, ...options }
    this.opened = expectReply()
    this.native = new addon.NativeAsyncDatabase(
      hub,
      { readonly: false, mustExist: false, timeout: 5000, ...given },
      this.opened.ticket,
    )
    this.handle = this.native.handle()
    this.sql = new Map()
  }

  static async open(path, options = {}, readers = 0) {
    const client = new Client(path, options)
    client.facts = (await client.opened).value
    client.readers = []
    if (readers > 0) {
      await client.exec('PRAGMA journal_mode = WAL')
      for (let i = 0; i < readers; i++) client.readers.push(await client.addReader())
    }
    return client
  }

  async addReader() {
    const reply = expectReply()
    const number = this.native.addReader(reply.ticket)
    const { thread } = await reply
    if (thread !== number) throw new Error(`reader ${number} replied as ${thread}`)
    return number
  }

  statement(sql) {
    let known = this.sql.get(sql)
    if (known === undefined) {
      const native = new addon.NativeSql(sql)
      known = { native, handle: native.handle() }
      this.sql.set(sql, known)
    }
    return known
  }

  /** Submits a call. Returns its promise. */
  call(kind, sql, values = [], { lane = WRITER, flags = 0, limit = 0, ticket: number, shape = 'object' } = {}) {
    const promise = expectReply({ kind, flags, shape: flags & ONLY_FIRST ? 'value' : shape }, number)
    calls.putAll(values)
    try {
      submit(this.handle, lane, promise.ticket, kind | flags, limit, sql && this.statement(sql).handle, ...values)
    } catch (error) {
      forget(promise)
      throw fromNative(error)
    }
    return promise
  }

  /** Submits a call without a reply. */
  tell(kind, { lane = WRITER, ticket: number = ++ticket } = {}) {
    submit(this.handle, lane, number, kind, 0, undefined)
  }

  run = (sql, values, options) => this.call(RUN, sql, values, options)
  get = (sql, values, options) => this.call(GET, sql, values, options).then(({ rows }) => rows[0])
  all = (sql, values, options) => this.call(ALL, sql, values, options).then(({ rows }) => rows)
  exec = (sql, options) => this.call(EXEC, sql, [], options)

  cancel({ ticket: number }) {
    return this.native.cancel(number)
  }

  /** Calls a method that replies to a ticket, which is its first argument or comes after the lane. */
  job(method, lane, ...args) {
    const reply = expectReply()
    this.native[method](...(lane === undefined ? [] : [lane]), reply.ticket, ...args)
    return reply
  }

  dropReaders = () => this.job('dropReaders')
  close = () => this.job('close')
}

/** A query that takes about a second per 10 million. */
export const COUNT = `WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < ?) SELECT sum(i) AS sum FROM c`
export const LONG = 1e12

/** Makes calls until one runs, and interrupts that one. Returns the call in an object. */
export async function interrupted(db, start) {
  for (;;) {
    const call = start()
    await new Promise(setImmediate)
    const state = db.cancel(call)
    if (state === 'running') return { call }
    if (state !== 'waiting') throw new Error('the call ended before it was interrupted')
    forget(call)
  }
}
