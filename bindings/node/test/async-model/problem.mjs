// A broken promise, and what the judge says about calls.

/** The code of a call in a transaction that is over. */
export const ENDED = 'STRONGROOM_TRANSACTION_ENDED'

/** A broken promise: the record of the call, and what was expected instead. */
export class Problem extends Error {
  constructor(record, message) {
    super(message)
    this.record = record
  }

  /** Returns the problem in a form for a person: the call, its outcome, and what was expected. */
  get text() {
    const { step, kind, value, error, rows } = this.record
    const outcome = error === undefined ? `returned ${short(value)}` : `rejected with ${short(error)}`
    const counted = rows ? ` after ${rows.length} rows` : ''
    return `${kind} ${short(step)}\n  ${outcome}${counted}\n  ${cut(this.message).slice(0, 1500)}${this.wanted ? ` in ${this.wanted}` : ''}`
  }
}

/** Returns a text for a value or an error, at most 1,500 characters long, with repetitions cut. */
export function short(value) {
  if (value instanceof Error) return `${value.name} ${value.code ?? ''}: ${value.message}`
  return cut(String(JSON.stringify(value))).slice(0, 1500)
}

function cut(text) {
  return text.replace(/(.{1,4}?)\1{7,}/gs, (run, part) => `${part}…${run.length / part.length}`)
}

/** Returns the code of an error, or undefined for another value. */
export function codeOf(error) {
  return error instanceof Error ? error.code : undefined
}

/** Returns whether `close` rejected a call: the call had not ended when `close` was called. */
export function isClosed({ error, ended }, closed) {
  return codeOf(error) === 'STRONGROOM_CLOSED' && closed !== undefined && ended > closed
}

/** Returns the content of a database as text. */
export function described({ items, columns }) {
  const rows = [...items].sort(([a], [b]) => a - b)
  return JSON.stringify([rows, columns])
}
