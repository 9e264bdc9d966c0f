import { SqliteError } from '../api/errors'

const DIGITS = 16
const SHORTEST = 4

/**
 * Returns the id that begins with some digits.
 *
 * @throws {SqliteError} `STRONGROOM_UNKNOWN_SLOT` if no id or more than one begins with the digits
 */
export function slotId(beginning: string, ids: readonly string[]): string {
  const digits = beginning.toLowerCase()
  if (!/^[0-9a-f]+$/.test(digits) || digits.length < SHORTEST || digits.length > DIGITS)
    throw unknown(`"${beginning}" is not the id of a key slot: give the ${SHORTEST} to ${DIGITS} first digits of an id`)
  const found = ids.filter((id) => id.startsWith(digits))
  const [id] = found
  if (found.length > 1) throw unknown(`more than one key slot begins with "${beginning}": ${found.join(', ')}`)
  if (id === undefined) throw unknown(`no key slot begins with "${beginning}"; the slots are ${ids.join(', ')}`)
  return id
}

function unknown(message: string): SqliteError {
  return new SqliteError(message, 'STRONGROOM_UNKNOWN_SLOT')
}
