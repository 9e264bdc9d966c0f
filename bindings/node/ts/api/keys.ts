import { addon } from '../load/loader'
import type { NativeKeySlot, NativeSlotSecret } from '../load/native'
import { attached, optionsObject, wellFormed } from './arguments'
import { argumentType, fromNative, SqliteError } from './errors'
import { recoveryKey, slotId, slotSecret, wipe } from './key'
import { uncloneable } from './objects'
import type { RotateOptions, RotateResult } from './rotate'
import { SESSION, type Session } from './session'

/** A key slot of a file. A slot holds the file's data key, encrypted with the slot's own key. */
export interface KeySlot {
  /** The id: 16 hexadecimal digits. The id stays the same when the slot's key or label changes. */
  id: string
  /**
   * The kind of the secret that opens the slot: a raw key, a passphrase or a recovery code. `unsupported`: a newer
   * version of Strongroom made the slot, and this version cannot open it.
   */
  kind: 'key' | 'passphrase' | 'recovery' | 'unsupported'
  /** The label, or null. Null also if the label cannot be read. The file stores the label encrypted. */
  label: string | null
  /** The time at which the slot got its present key. Null if the time, which is stored with the label, cannot be read. */
  created: Date | null
  /** `true` for the slot that opened the file for this connection. */
  current: boolean
}

/** A key slot with a new recovery code. */
export interface RecoveryKeySlot extends KeySlot {
  /**
   * The recovery code: 8 groups of 4 characters. Nothing stores the code, so no later call can return it. JavaScript
   * cannot erase a string, and the code stays in the memory of the process until V8 reuses the memory.
   */
  code: string
}

/**
 * The secret of a key slot: exactly one of `key`, `passphrase` and `recovery`. `recovery: true` generates a recovery
 * code; a string or a Buffer is a code from {@link KeySlots.generateRecoveryCode}, also one that opens another file.
 */
export type KeySlotSecret =
  | { key: Uint8Array; passphrase?: never; recovery?: never }
  | { passphrase: string | Uint8Array; key?: never; recovery?: never }
  | { recovery: true | string | Uint8Array; key?: never; passphrase?: never }

/** Options of {@link KeySlots.list} and {@link KeySlots.remove}. */
export interface KeySlotOptions {
  /** The name of an attached database. Default: `main`. */
  attached?: string
}

/** Options of {@link KeySlots.add} and {@link KeySlots.change}. */
export interface KeySlotLabelOptions extends KeySlotOptions {
  /**
   * The label: at most 94 bytes of UTF-8, without control characters. Null and an empty string remove the label. A changed
   * slot keeps its label if the option is absent.
   */
  label?: string | null
}

const LIST_NAMES: readonly string[] = ['attached'] satisfies (keyof KeySlotOptions)[]
const SECRET_NAMES: readonly string[] = ['key', 'passphrase', 'recovery', 'label', 'attached']
const SECRETS = '"key", "passphrase" or "recovery"'

/** Loads the module that rewrites the file, which few programs use. */
const rotation = (): typeof import('./rotate') => require('./rotate')

/** The key slots of each connection. */
const known = new WeakMap<Session, KeySlots>()

/** Returns the key slots of a connection, always as the same object. */
export function keySlots(session: Session): KeySlots {
  let slots = known.get(session)
  if (slots === undefined) {
    slots = new KeySlots(session)
    known.set(session, slots)
  }
  return slots
}

/**
 * The key slots of a file in the Strongroom format, as `db.keys`. Each slot opens the file with its own secret. A file
 * has up to 8 slots.
 *
 * Each change takes effect at once, and is complete or has no effect, also after a crash. A change rewrites the header
 * and no page, so it takes no longer for a larger file. Other connections continue, also in the middle of a
 * transaction. A change is not part of any transaction, and throws `STRONGROOM_IN_TRANSACTION` in a transaction of this
 * connection.
 *
 * Each method throws a {@link SqliteError}: `STRONGROOM_NO_SLOTS` for a database in another format or in memory;
 * `STRONGROOM_NOT_ATTACHED`; `STRONGROOM_KEY_CHANGED` if the slot that opened the file for this connection has been
 * removed or has another key. The methods that change the slots also throw `SQLITE_READONLY`; `SQLITE_BUSY` if another
 * connection changes the slots for longer than `timeout`; `STRONGROOM_HEADER_UNVERIFIED` if a write of the header
 * failed, and the change is in effect with one copy of the header or may be in effect. This error has a generated
 * recovery code as `recoveryCode`.
 */
export class KeySlots {
  /** @internal */
  declare readonly [SESSION]: Session

  /** @internal */
  constructor(session: Session) {
    Object.defineProperty(this, SESSION, { value: session })
    uncloneable(this)
  }

  /**
   * Returns the slots in the order in which the file stores them. The result has no key material.
   *
   * @example
   * ```js
   * for (const { id, kind, label, current } of db.keys.list()) console.log(id, kind, label, current)
   * ```
   */
  list(options?: KeySlotOptions | null): KeySlot[] {
    const schema = attached(optionsObject(options, LIST_NAMES, 'first'))
    return call(this, (session) => Array.from(session.native.keySlots(schema), slot))
  }

  /**
   * Returns a new random recovery code, which opens nothing yet: {@link add} and {@link change} give the code a slot. A
   * program can thus show or store the code before the code replaces another secret.
   *
   * @example
   * ```js
   * const recovery = db.keys.generateRecoveryCode()
   * await print(recovery)
   * db.keys.change(id, { recovery })
   * ```
   */
  generateRecoveryCode(): string {
    return call(this, () => addon().generateRecoveryCode())
  }

  /**
   * Adds a slot with a raw key, a passphrase or a recovery code, and returns the slot. The result for `recovery: true`
   * has the generated code, which nothing stores: show the code once.
   *
   * @throws {TypeError} and {RangeError} for a wrong argument.
   * @throws {SqliteError} `STRONGROOM_SLOTS_FULL` for a ninth slot; `STRONGROOM_SLOT_LABEL`; `STRONGROOM_RECOVERY_CODE`
   * for a code with a typing error; `STRONGROOM_DUPLICATE_SLOT` for a raw key or a code that another slot has.
   * @example
   * ```js
   * const { id, code } = db.keys.add({ recovery: true, label: 'printed on paper' })
   * ```
   */
  add(secret: { recovery: true; key?: never; passphrase?: never } & KeySlotLabelOptions): RecoveryKeySlot
  add(secret: KeySlotSecret & KeySlotLabelOptions): KeySlot
  add(secret: KeySlotSecret & KeySlotLabelOptions): KeySlot {
    const request = slotRequest(secret, 'first')
    const { schema, native } = request
    if (native.key === undefined && !request.generates) throw argumentType(`a new key slot needs ${SECRETS}`)
    return changed(this, request, (session) => session.native.addKeySlot(schema, native))
  }

  /**
   * Removes a slot, and returns it as it was. Its secret no longer opens the file.
   *
   * Older copies of the file, such as backups, keep the slot. {@link rotate} describes when a removal does not suffice.
   *
   * @throws {SqliteError} `STRONGROOM_UNKNOWN_SLOT`; `STRONGROOM_LAST_SLOT` for the last slot that this version opens.
   */
  remove(id: string, options?: KeySlotOptions | null): KeySlot {
    const checkedId = slotId(id, 'first argument')
    const schema = attached(optionsObject(options, LIST_NAMES))
    return call(this, (session) => slot(session.native.removeKeySlot(schema, checkedId)))
  }

  /**
   * Gives a slot another secret, another label, or both, and returns the slot. The slot keeps its id.
   *
   * If the process ends before a program has shown the code of `recovery: true`, the code is lost, and the old secret
   * opens nothing. For the last slot of a file, show a code of {@link generateRecoveryCode} first.
   *
   * @throws {TypeError} and {RangeError} for a wrong argument.
   * @throws {SqliteError} `STRONGROOM_UNKNOWN_SLOT`; `STRONGROOM_SLOT_LABEL`; `STRONGROOM_RECOVERY_CODE`;
   * `STRONGROOM_DUPLICATE_SLOT`.
   * @example
   * ```js
   * db.keys.change(id, { passphrase: 'a better one' })
   * db.keys.change(id, { label: 'laptop' })
   * ```
   */
  change(id: string, to: { recovery: true; key?: never; passphrase?: never } & KeySlotLabelOptions): RecoveryKeySlot
  change(
    id: string,
    to: (KeySlotSecret | { key?: never; passphrase?: never; recovery?: never }) & KeySlotLabelOptions,
  ): KeySlot
  change(id: string, to: object): KeySlot {
    const checkedId = slotId(id, 'first argument')
    const request = slotRequest(to, 'second')
    const { schema, native } = request
    if (native.key === undefined && !request.generates && !native.relabel)
      throw argumentType(`a change of a key slot needs ${SECRETS}, or "label"`)
    return changed(this, request, (session) => session.native.changeKeySlot(schema, checkedId, native))
  }

  /**
   * Rewrites the file with a new data key, and closes this connection. The slots keep their ids, labels and secrets.
   *
   * A removed slot does not open the file any more, but whoever had its secret may know the data key, or may have an
   * older copy of the header. After a rotation, neither opens the file. Older copies of the file stay as they are.
   *
   * A slot can be kept only with its secret. The slot that opened this connection is kept; `secrets` has the secrets
   * of the others, and `dropOthers` drops the slots without a secret. The call works as {@link Database.migrate} does:
   * another thread writes a copy beside the file and renames it over the file, and no other connection may have the
   * file open. The call rejects before it closes the connection for wrong arguments and secrets, in a transaction, during an
   * iterator, for another connection of this process, and for a `keep` that exists, has a reserved name or a missing
   * folder. After any later failure the file is unchanged, and the connection is closed.
   *
   * @returns the slots that were dropped
   * @throws {SqliteError} `STRONGROOM_SLOT_SECRETS` if a slot has no secret and `dropOthers` is not set;
   * `STRONGROOM_WRONG_KEY` for a secret that opens no slot; `STRONGROOM_RECOVERY_CODE`; and the errors of
   * {@link Database.migrate}.
   * @example
   * ```js
   * await db.keys.rotate({ secrets: [{ recovery: code }], dropOthers: true })
   * ```
   */
  rotate(options?: RotateOptions | null): Promise<RotateResult> {
    return rotation().rotate(this[SESSION], options)
  }
}

/** Runs a call that is allowed while an iterator reads, but not while a statement runs a callback. */
function call<T>(slots: KeySlots, run: (session: Session) => T): T {
  const session = slots[SESSION]
  session.ready()
  try {
    return run(session)
  } catch (error) {
    throw fromNative(error)
  }
}

/** A checked request for a slot. */
interface SlotRequest {
  schema: string
  native: NativeSlotSecret
  /** `true` for a recovery code that the call generates. */
  generates: boolean
}

/** Runs a call that writes a slot, and then overwrites the copy of the secret. */
function changed(slots: KeySlots, request: SlotRequest, run: (session: Session) => NativeKeySlot): KeySlot {
  const { native, generates } = request
  let code: string | undefined
  try {
    return call(slots, (session) => {
      // The code exists before the slot is written, so no failure of the write loses the code.
      if (!generates) return slot(run(session))
      code = addon().generateRecoveryCode()
      native.key = recoveryKey(code)
      return Object.assign(slot(run(session)), { code })
    })
  } catch (error) {
    if (code !== undefined && error instanceof SqliteError && error.code === 'STRONGROOM_HEADER_UNVERIFIED')
      Object.defineProperty(error, 'recoveryCode', { value: code })
    throw error
  } finally {
    wipe(native.key)
  }
}

/** Checks the secret and the label of a slot. The result holds a copy of the secret, which the caller overwrites. */
function slotRequest(secret: unknown, position: string): SlotRequest {
  if (typeof secret !== 'object' || secret === null)
    throw argumentType(`Expected ${position} argument to be an object with ${SECRETS}`)
  const given = optionsObject(secret, SECRET_NAMES, position)
  const schema = attached(given)
  const native: NativeSlotSecret = { relabel: given['label'] !== undefined }
  const label = given['label'] ?? undefined
  if (label !== undefined) {
    if (typeof label !== 'string') throw argumentType('Expected the "label" option to be a string or null')
    wellFormed(label, 'the "label" option')
    native.label = label
  }
  const key = slotSecret(given, 'a key slot needs its secret')
  if (key !== undefined && key !== 'generate') native.key = key
  return { schema, native, generates: key === 'generate' }
}

/** Returns a slot as an object of the API. */
export function slot({ id, kind, label, created, current }: NativeKeySlot): KeySlot {
  return { id, kind, label: label ?? null, created: created === undefined ? null : new Date(created), current }
}
