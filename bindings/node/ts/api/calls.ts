import { types } from 'node:util'
import type { Reader } from './build-row'
import { byteLength, copyInto } from './bytes'

type Addon = typeof import('../load/native')

/** The addon's handle of a statement. */
export type Handle = object

/** The value of `ints[LAYOUT]` for a result that the call returns directly, without a reader. */
export const DIRECT = 0

/**
 * Indices into `ints`: the number of rows, a flag that is not 0 once the run has ended, and the version of the rows'
 * layout.
 */
export const ROWS = 0
export const DONE = 1
export const LAYOUT = 2
/** The index into `ints` of the number of values that the addon passes as JavaScript values. */
export const VALUES = 3
/** Indices into `numbers`: the outcome of `run`. `bigints` has the rowid as a bigint. */
export const CHANGES = 2
export const ROWID = 3
/** The slot of the first value of the first row, or of the first parameter. */
export const FIRST = 8

/** The maximum number of parameters with a slot. The first elements of `bytes` are the kinds of these parameters. */
const MAX_PARAMETERS = 256
const BYTES = 64 * 1024
/**
 * The longest parameter that is copied into `bytes`. For a longer parameter, the addon requests the address of the
 * parameter's memory.
 */
const MAX_COPIED = 8192

/** The bits of a call's flags. The row limit is in the bits above them. */
export const BIGINTS = 1
export const ONLY_FIRST = 2
/** The call passes values for the parameters. */
export const PASSED = 4
/** The call reads rows before the caller asks for them. */
export const AHEAD = 8
export const LIMIT = 4

/** The ways in which a parameter is passed to the addon. */
const NULL = 0
const NUMBER = 1
const TEXT = 2
const COPIED = 3
const VALUE = 4

type Call = (statement: Handle, flags: number, collect: typeof list, ...values: unknown[]) => unknown

/** Returns its arguments as an array. For the addon, calling this function is the cheapest way to create an array. */
export function list(...values: unknown[]): unknown[] {
  return values
}

/**
 * The functions of the addon that run statements, and the memory that they share with JavaScript.
 *
 * A call and its result are numbers in `slots` and small blobs in `bytes`, which need no call of Node-API. Other values
 * are arguments of the call, or its returned value, which is a single value or an array of values. Each call overwrites
 * the memory.
 */
export class Calls {
  /** The same slots in three types. */
  readonly numbers: Float64Array
  readonly ints: Int32Array
  readonly bigints: BigInt64Array
  readonly bytes: Uint8Array
  /** Runs a statement to its end. */
  readonly run: Call
  /** Runs a statement up to its first row. */
  readonly get: Call
  /** Starts a run, and reads rows up to the row limit. */
  readonly start: Call
  /** Reads rows up to the row limit. */
  readonly more: Call
  /** Ends a run. */
  readonly end: Call
  /** Overwrites the values of earlier calls. */
  readonly wipe: () => void
  /** Readers of rows, which statements with the same columns share. */
  readonly readers: Map<string, Reader> = new Map<string, Reader>()

  private constructor([slots, bytes, run, get, start, more, end, wipe]: unknown[]) {
    this.numbers = new Float64Array(slots as ArrayBuffer)
    this.ints = new Int32Array(slots as ArrayBuffer)
    this.bigints = new BigInt64Array(slots as ArrayBuffer)
    this.bytes = new Uint8Array(bytes as ArrayBuffer)
    this.run = run as Call
    this.get = get as Call
    this.start = start as Call
    this.more = more as Call
    this.end = end as Call
    this.wipe = wipe as () => void
  }

  static readonly #known = new WeakMap<Addon, Calls>()

  /** Returns the functions of an addon. */
  static of(addon: Addon): Calls {
    let calls = Calls.#known.get(addon)
    if (calls === undefined) {
      calls = new Calls(addon.calls())
      Calls.#known.set(addon, calls)
    }
    return calls
  }

  /**
   * Writes parameters into the shared memory, except for the values that the call passes as arguments. Runs no code of
   * the caller. Stops at a value that does not fit into the memory, or that the addon cannot take unchanged. Returns
   * the number of values written before the stop.
   */
  put(values: readonly unknown[]): number {
    // A single short loop is fast even before V8 has compiled it.
    const { bytes, numbers } = this
    const count = Math.min(values.length, MAX_PARAMETERS)
    let free = MAX_PARAMETERS
    let i = 0
    for (; i < count; i++) {
      const value = values[i]
      if (typeof value === 'string') bytes[i] = TEXT
      else if (typeof value === 'number') {
        bytes[i] = NUMBER
        numbers[FIRST + i] = value
      } else if (value === null || value === undefined) bytes[i] = NULL
      else if (typeof value === 'bigint') bytes[i] = VALUE
      else if (types.isUint8Array(value)) {
        const length = byteLength(value)
        if (length === 0 || length > MAX_COPIED || free + length > BYTES) break
        copyInto(bytes, value, free)
        bytes[i] = COPIED
        this.ints[2 * (FIRST + i)] = free
        this.ints[2 * (FIRST + i) + 1] = length
        free += length
      } else break
    }
    return i
  }

  /**
   * Writes values that the addon can take unchanged. The call passes the values that {@link put} leaves out as
   * arguments.
   */
  putAll(values: readonly unknown[]): void {
    this.bytes.fill(VALUE, this.put(values), MAX_PARAMETERS)
  }
}
