// The SQL of a call, and its result in a form that can be compared.
import { OPERATIONS } from './operations.mjs'

/** Returns the SQL of an operation's call. */
export function sqlOf({ sql }, parameters) {
  return typeof sql === 'function' ? sql(parameters) : sql
}

/** Returns a result in a form that can be compared: without what the model does not know. */
export function shown(operation, value) {
  if (operation.method === 'exec' || operation.method === 'pragma') return JSON.stringify(value ?? 'nothing')
  if (operation.method === 'run') {
    const { changes, lastInsertRowid } = value
    return JSON.stringify(operation === OPERATIONS.insert ? { changes, lastInsertRowid } : { changes })
  }
  return JSON.stringify(value, (_, part) => (part?.type === 'Buffer' ? Buffer.from(part.data).toString('hex') : part))
}
