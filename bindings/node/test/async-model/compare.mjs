// Compares the outcome of a call with its effect on a state.
import { codeOf, isClosed, Problem } from './problem.mjs'
import { shown } from './shown.mjs'

/** Throws a `Problem` unless a call did what was expected. */
export function expect(record, isRight, wanted) {
  if (!isRight) throw new Problem(record, `expected ${wanted}`)
}

/** Compares the outcome of a call with its effect on a state. Returns the states after the call. */
export function compare(record, state, isInside = false) {
  const { operation, step } = record
  if (record.isResolved && step.abort < 0) throw new Problem(record, 'ran although its signal was aborted')
  if (operation.endless) throw new Problem(record, 'expected the cancellation of an endless statement')
  const { error, states, result } = operation.effect(state, step.parameters, isInside)
  if (error !== undefined) {
    const isRight = !record.isResolved && [codeOf(record.error), record.error?.name].includes(error)
    expect(record, isRight, `the error ${error}`)
    return []
  }
  const wanted = shown(operation, result)
  expect(record, record.isResolved && shown(operation, record.value) === wanted, wanted)
  return states
}

/** Compares the rows of an iterator, which may have been left early. */
export function iterated(record, state, closed) {
  const { operation, step, rows, isResolved } = record
  if (record.problem) throw new Problem(record, record.problem)
  const wanted = operation.effect(state).result
  for (const [at, row] of rows.entries()) {
    const right = JSON.stringify(wanted[at])
    if (JSON.stringify(row) !== right)
      throw new Problem(record, `row ${at} is ${JSON.stringify(row)}, expected ${right}`)
  }
  const isCancelled = record.reason !== undefined && record.error === record.reason
  if (!isResolved) return expect(record, isCancelled || isClosed(record, closed), 'no error')
  // A second call of `next` at the same time may return one more row.
  if (record.reason) expect(record, rows.length === wanted.length || rows.length <= step.take + 1, 'the cancellation')
  const left = rows.length === step.take && step.leave !== 'abort'
  if (!left) expect(record, rows.length === wanted.length, `${wanted.length} rows, not ${rows.length}`)
}
