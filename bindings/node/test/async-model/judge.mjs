// The sequential model: performs the calls of the writer one after another in the order in which they were made, and
// compares each result. A read must have seen a state that the promised order allows.
import { compare, expect, iterated } from './compare.mjs'
import { Inside } from './inside.mjs'
import { EMPTY } from './operations.mjs'
import { codeOf, described, ENDED, isClosed, Problem } from './problem.mjs'

/** The kinds of calls that the writer runs, whatever the database is. */
const WRITER = ['write', 'transaction', 'journal', 'rekey', 'temporary', 'late', 'stale']

/** Judges the sessions of a driver. Throws a `Problem` at the first broken promise. Returns the last state. */
export function judge(sessions) {
  let state = EMPTY
  for (const session of sessions) state = new Session(session, session.isNew ? EMPTY : state).judge()
  return state
}

class Session {
  #records
  #closed
  #isOne
  /** The states after each change, from the state at the session's beginning. */
  #states
  /** The calls of the writer that changed something or returned something, with the number of states after each. */
  #done = []
  /** The reads that ended, with the number of the oldest state that each can have seen. */
  #reads = []
  /** Whether a call of the writer was rejected by `close`: no later call may run. */
  #isOver = false

  constructor({ records, closed, isOne }, state) {
    this.#records = records
    this.#closed = closed
    this.#isOne = isOne
    this.#states = [state]
  }

  judge() {
    // With the order of the calls known, the position of each call on the writer is too.
    const journal = this.#records.find(({ kind }) => kind === 'journal')?.called ?? Number.POSITIVE_INFINITY
    const temporary = this.#records.find(({ kind }) => kind === 'temporary')?.called ?? Number.POSITIVE_INFINITY
    const later = []
    for (const record of this.#records) {
      const isOne = (this.#isOne && record.called <= journal) || record.called >= temporary
      if (WRITER.includes(record.kind) || record.operation?.method === 'pragma') this.#writer(record)
      else if (isOne && record.kind !== 'backup' && record.kind !== 'check') this.#exact(record)
      else later.push(record)
      // The number of states that the calls made so far can have left.
      record.most = this.#states.length - 1
    }
    for (const record of later.sort((a, b) => a.ended - b.ended)) this.#read(record)
    return this.#states.at(-1)
  }

  get #state() {
    return this.#states.at(-1)
  }

  /** Judges a call that the writer runs in the order of the calls. */
  #writer(record) {
    if (record.problem) throw new Problem(record, record.problem)
    if (record.value === 'not encrypted') return
    if (['late', 'stale'].includes(record.kind)) return this.#refused(record)
    const isRefused = !record.isResolved && (this.#isCancelled(record) || isClosed(record, this.#closed))
    if (record.isResolved && this.#isOver) throw new Problem(record, 'ran after a call that close() had rejected')
    if (record.kind === 'transaction') {
      const after = new Inside(record, this.#closed).judge(this.#state)
      if (after) this.#states.push(after)
    } else if (!isRefused) this.#ran(record)
    if (isClosed(record, this.#closed)) this.#isOver = true
    if (!isRefused) this.#done.push({ record, after: this.#states.length - 1 })
  }

  #ran(record) {
    const { kind, step } = record
    if (kind === 'journal') return expect(record, ['memory', step.journal].includes(record.value), step.journal)
    if (kind === 'rekey' || kind === 'temporary') return expect(record, record.isResolved, 'no error')
    this.#states.push(...compare(record, this.#state))
  }

  /** A late call is rejected because the database is closed, and a stale one because its transaction is over. */
  #refused(record) {
    if (record.kind === 'stale' && record.value === 'no transaction') return
    const isRight = isClosed(record, this.#closed) || (record.kind === 'stale' && codeOf(record.error) === ENDED)
    expect(record, isRight, record.kind === 'late' ? 'STRONGROOM_CLOSED' : ENDED)
  }

  /** With one connection, a read sees exactly the calls that were made before it. */
  #exact(record) {
    if (record.isResolved && this.#isOver) throw new Problem(record, 'ran after a call that close() had rejected')
    this.#saw(record, [this.#state], 'the state after all earlier calls')
    if (record.isResolved) this.#done.push({ record, after: this.#states.length - 1 })
  }

  /** A read on a reader has seen a state between the calls that had ended and those that had been made. */
  #read(record) {
    const before = [...this.#done, ...this.#reads].filter(({ record: { ended } }) => ended < record.called)
    const least = Math.max(0, ...before.map(({ after }) => after))
    const made = this.#records.filter(({ called }) => called < seen(record))
    const most = Math.max(least, ...made.map(({ most }) => most ?? 0))
    const states = this.#states.slice(least, most + 1)
    const at = this.#saw(record, states, `one of the states ${least} to ${most}`)
    if (record.isResolved) this.#reads.push({ record, after: least + at })
  }

  /** Checks what a read returned. Returns the number of the first state that fits. */
  #saw(record, states, wanted) {
    const { kind, isResolved } = record
    if (record.problem) throw new Problem(record, record.problem)
    if (kind === 'snapshot') return first(states, wanted, (state) => new Inside(record, this.#closed).judge(state))
    if (kind === 'check') {
      if (!isClosed(record, this.#closed)) expect(record, record.value?.problems.length === 0, 'no problems')
      return 0
    }
    if (kind === 'backup') {
      if (isClosed(record, this.#closed)) return 0
      return first(states, wanted, (state) => sameContent(record, state))
    }
    if (kind === 'iterate') return first(states, wanted, (state) => iterated(record, state, this.#closed))
    if (!isResolved && (this.#isCancelled(record) || isClosed(record, this.#closed))) return 0
    return first(states, wanted, (state) => compare(record, state))
  }

  #isCancelled(record) {
    return record.reason !== undefined && record.error === record.reason
  }
}

/** Returns the number of the first state that a check accepts. Throws what the check threw for the last state. */
function first(states, wanted, check) {
  let problem
  for (const [at, state] of states.entries())
    try {
      check(state)
      return at
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      problem = error
    }
  problem.wanted = wanted
  throw problem
}

/** Returns the moment at which a read had seen its state: its first row, or the first result of a snapshot. */
function seen(record) {
  const inner = (record.inner ?? []).filter(({ isResolved, kind }) => isResolved && kind !== 'outside')
  return Math.min(record.seen, ...inner.map((call) => call.seen))
}

function sameContent(record, state) {
  const wanted = described(state)
  expect(record, record.isResolved && described(record.value) === wanted, wanted)
}
