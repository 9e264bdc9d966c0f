import type { NativeStatement } from '../load/native'
import { type Reader, readerOf, type Shape } from './build-row'
import { BIGINTS, type Calls, type Handle, LAYOUT, ONLY_FIRST } from './calls'
import { Parameters } from './parameters'

/**
 * Matches every statement that contains a key, and some statements without a key. The addon finds and removes the keys.
 */
const MAY_HOLD_KEY = /key|sqlcipher_export/i

/** The columns of the last rows, and the readers for them by shape. */
interface Layout {
  version: number
  readers: Partial<Record<Shape, Reader>>
}

/**
 * A compiled statement and its properties. All `Statement`s of the same SQL share the compiled statement until one
 * `Statement` takes it for itself.
 */
export class Prepared {
  readonly native: NativeStatement
  readonly handle: Handle
  /** The SQL, without keys. */
  readonly source: string
  readonly parameters: Parameters
  readonly reads: boolean
  readonly readonly: boolean
  /** `true` if running the statement leaves the schema unchanged. */
  readonly reusable: boolean
  /**
   * `true` while a single `Statement` owns this compiled statement, because the `Statement` has an open iterator or
   * bound values.
   */
  taken = false
  readonly #calls: Calls
  /** The layouts, indexed by the two flags `BIGINTS` and `ONLY_FIRST`. */
  readonly #layouts: Layout[] = [0, 1, 2, 3].map(() => ({ version: 0, readers: {} }))

  constructor(calls: Calls, native: NativeStatement, sql: string) {
    this.#calls = calls
    this.native = native
    this.handle = native.handle()
    this.source = MAY_HOLD_KEY.test(sql) ? native.source : sql
    this.parameters = new Parameters(native.parameters())
    this.reads = native.columnCount > 0
    this.readonly = native.readonly
    this.reusable = native.reusable
  }

  /** Returns the reader for the rows of the last call. */
  reader(flags: number, shape: Shape): Reader {
    const form = flags & (BIGINTS | ONLY_FIRST)
    const layout = this.#layouts[form] as Layout
    const version = this.#calls.ints[LAYOUT] as number
    if (layout.version !== version) {
      layout.version = version
      layout.readers = {}
    }
    return layout.readers[shape] ?? this.#read(layout, form, shape)
  }

  #read(layout: Layout, form: number, shape: Shape): Reader {
    const columns = this.native.layout((form & BIGINTS) !== 0, (form & ONLY_FIRST) !== 0)
    const reader = readerOf(this.#calls, shape, columns)
    layout.readers[shape] = reader
    return reader
  }
}
