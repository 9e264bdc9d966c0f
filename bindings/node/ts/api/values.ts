/** A value of a column: INTEGER and REAL, TEXT, BLOB, NULL. INTEGER is a bigint with `safeIntegers`. */
export type SqlValue = number | bigint | string | Buffer | null

/** A row as an object with a property per column. The last of several columns with the same name wins. */
export type Row = Record<string, SqlValue>

/**
 * A value that can be bound to a parameter.
 *
 * - `number` is bound as REAL, even if it is integral: a column with INTEGER affinity stores 1.0 as the integer 1, and
 *   a column without a type stores 1.0. `NaN` is stored as NULL.
 * - `bigint` is bound as INTEGER, within 64 bits.
 * - `string` is stored as UTF-8. A string with a lone surrogate is an error.
 * - `Buffer`, every typed array, `DataView`, `ArrayBuffer` and `SharedArrayBuffer` are stored as BLOB, byte by byte.
 * - `null` and `undefined` are NULL.
 */
export type BindValue = number | bigint | string | ArrayBufferView | ArrayBufferLike | null | undefined

/** An argument of a call: a value, an array of values, or an object with a property for each named parameter. */
export type BindArgument = BindValue | readonly BindValue[] | Readonly<Record<string, BindValue>>

/** The outcome of a statement. */
export interface RunResult {
  /**
   * The number of rows that the statement inserted, updated or deleted, without the changes of triggers and foreign key
   * actions.
   */
  changes: number
  /** The rowid of the last row that this connection inserted; a bigint with `safeIntegers`. */
  lastInsertRowid: number | bigint
}

/** A column of a result. */
export interface ColumnDefinition {
  /** The column's name in the result. */
  name: string
  /** The column of the table; null for an expression. */
  column: string | null
  /** The table of `column`. */
  table: string | null
  /** The database of `table`: `main`, `temp`, or the name of an attached database. */
  database: string | null
  /** The declared type of `column`. */
  type: string | null
}
