/** What a column holds, as it comes out: INTEGER and REAL, TEXT, BLOB, NULL; bigint where it was asked for. */
export type SqlValue = number | bigint | string | Buffer | null

/** A row as an object, with a property per column. Of columns with the same name the last one wins. */
export type Row = Record<string, SqlValue>

/**
 * What can be bound to one parameter.
 *
 * - `number` is bound as REAL, also where it is integral: a column with INTEGER affinity stores it as an integer, one
 *   without a type keeps 1.0. `NaN` is stored as NULL.
 * - `bigint` is bound as INTEGER, within 64 bits.
 * - `string` is stored as UTF-8; one with a lone surrogate is refused.
 * - `Buffer`, every typed array, `DataView`, `ArrayBuffer` and `SharedArrayBuffer` are stored as BLOB, byte by byte.
 * - `null` and `undefined` are NULL.
 */
export type BindValue = number | bigint | string | ArrayBufferView | ArrayBufferLike | null | undefined

/** An argument of a call: a value, an array of values, or an object with a property for each named parameter. */
export type BindArgument = BindValue | readonly BindValue[] | Readonly<Record<string, BindValue>>

/** What a statement did. */
export interface RunResult {
  /** Rows inserted, updated or deleted by the statement itself, not by triggers or foreign keys. */
  changes: number
  /** The rowid of the row that was inserted last on this connection; a bigint with `safeIntegers`. */
  lastInsertRowid: number | bigint
}

/** A column of a result. */
export interface ColumnDefinition {
  /** Its name in the result. */
  name: string
  /** The table's column that it shows; null for an expression. */
  column: string | null
  /** That column's table. */
  table: string | null
  /** That table's database: `main`, `temp`, or as attached. */
  database: string | null
  /** The type that the column was declared with. */
  type: string | null
}
