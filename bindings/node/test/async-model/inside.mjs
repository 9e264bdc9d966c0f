// The calls inside of a transaction or a snapshot: one after another, on the state at its beginning.
import { compare, iterated } from './compare.mjs'
import { codeOf, ENDED, isClosed, Problem } from './problem.mjs'

export class Inside {
  #record
  #closed
  /** The transaction around this one, if it is nested. */
  #outer
  /** Whether SQLite may have ended the transaction: an interrupted write rolls back everything. */
  #mayBeDoomed = false
  /** Whether a call was rejected because the transaction was over: no later call may run. */
  #isOver = false

  constructor(record, closed, outer) {
    this.#record = record
    this.#closed = closed
    this.#outer = outer
  }

  get mayBeDoomed() {
    return this.#mayBeDoomed || (this.#outer?.mayBeDoomed ?? false)
  }

  /** Judges the calls. Returns the state after a transaction that was committed, or undefined. */
  judge(state) {
    const record = this.#record
    if (record.problem) throw new Problem(record, record.problem)
    let inside = state
    for (const call of record.inner) inside = this.#call(call, inside)
    if (record.isResolved) {
      if (record.step.end === 'throw') throw new Problem(record, 'expected the error of its callback')
      if (record.step.abort < 0) throw new Problem(record, 'ran although its signal was aborted')
      if (this.#isOver && !this.#outer) throw new Problem(record, 'was committed although it was over')
      if (record.value !== record.step.index) throw new Problem(record, `expected ${record.step.index}`)
      return inside
    }
    const isExpected =
      (record.thrown && record.error === record.thrown) ||
      this.#isOwnEnd(record.error) ||
      ([ENDED, 'SQLITE_INTERRUPT'].includes(codeOf(record.error)) && this.mayBeDoomed)
    if (!isExpected) throw new Problem(record, `expected ${record.step.end === 'throw' ? 'its own error' : 'a commit'}`)
    return undefined
  }

  /** Returns whether the transaction's signal or `close` ended it, or the transaction around it. */
  #isOwnEnd(error) {
    const { reason, ended } = this.#record
    if (reason !== undefined && error === reason) return true
    if (isClosed({ error, ended }, this.#closed)) return true
    return (
      this.#outer !== undefined && (this.#outer.#isOwnEnd(error) || (codeOf(error) === ENDED && this.#outer.mayEnd))
    )
  }

  /** Whether the calls may be rejected because the transaction is over. */
  get mayEnd() {
    const { reason, thrown, isResolved } = this.#record
    const isEnded = reason !== undefined || thrown !== undefined || isClosed(this.#record, this.#closed)
    const ends = !isResolved && isEnded
    return ends || this.mayBeDoomed || (this.#outer?.mayEnd ?? false)
  }

  #call(call, state) {
    if (call.problem) throw new Problem(call, call.problem)
    if (call.kind === 'outside') return this.#outside(call, state)
    if (call.kind === 'refused') return this.#refused(call, state)
    if (call.isResolved && this.#isOver) throw new Problem(call, 'ran although the transaction was over')
    if (call.kind === 'transaction') return this.#nested(call, state)
    if (!call.isResolved && this.#isEnd(call)) return state
    if (call.kind === 'iterate') {
      iterated(call, state, this.#closed)
      return state
    }
    return compare(call, state, this.#record.kind === 'transaction').at(-1) ?? state
  }

  /** Returns whether a call was rejected by its own signal, or because the transaction is over. */
  #isEnd(call) {
    if (call.reason !== undefined && call.error === call.reason) {
      if (call.kind === 'write') this.#mayBeDoomed = true
      return true
    }
    const { error } = call
    const isOver = ([ENDED, 'STRONGROOM_CLOSED'].includes(codeOf(error)) || this.#isOwnEnd(error)) && this.mayEnd
    if (isOver) this.#isOver = true
    return isOver
  }

  #nested(call, state) {
    if (!call.isResolved && this.#isEnd(call)) return state
    const nested = new Inside(call, this.#closed, this)
    const after = nested.judge(state)
    if (nested.#mayBeDoomed) this.#mayBeDoomed = true
    return after ?? state
  }

  /** A call of the database inside of the callback is refused while the transaction is open. */
  #outside(call, state) {
    const isAfter = call.called > this.#end
    const isRight = isAfter || codeOf(call.error) === 'STRONGROOM_IN_TRANSACTION' || isClosed(call, this.#closed)
    if (!isRight) throw new Problem(call, 'expected STRONGROOM_IN_TRANSACTION')
    return state
  }

  /** Returns the moment at which the outermost transaction ended, or was cancelled. */
  get #end() {
    const { ended, aborted = ended } = this.#record
    return this.#outer ? this.#outer.#end : Math.min(ended, aborted)
  }

  /** A snapshot refuses a statement that writes. */
  #refused(call, state) {
    const isRight = /READ_?ONLY/.test(codeOf(call.error)) || (!call.isResolved && this.#isEnd(call))
    if (!isRight) throw new Problem(call, 'expected an error that names a read-only statement')
    return state
  }
}
