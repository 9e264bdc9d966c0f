import type { SqliteErrorCode as Code } from './codes'
import { Database as DatabaseClass } from './database'
import { SqliteError as ErrorClass } from './errors'
import type { Options as OpenOptions } from './options'
import type { Statement as StatementClass } from './statement'
import type { Transaction as TransactionFunction } from './transaction'
import type * as values from './values'

/** The class {@link Database}, which can also be called without `new`. */
interface DatabaseConstructor {
  new (path?: string | null, options?: OpenOptions | null): DatabaseClass
  (path?: string | null, options?: OpenOptions | null): DatabaseClass
  readonly prototype: DatabaseClass
  /** What the database reports: an Error with a `code`. */
  readonly SqliteError: typeof ErrorClass
}

const Database = new Proxy(DatabaseClass, {
  apply: (_, __, [path, options]: [string?, OpenOptions?]) => new Database(path, options),
}) as unknown as DatabaseConstructor
Object.defineProperty(DatabaseClass, 'SqliteError', { value: ErrorClass, enumerable: true })
Object.defineProperty(DatabaseClass.prototype, 'constructor', { value: Database, writable: true, configurable: true })

type Database = DatabaseClass

declare namespace Database {
  /** A connection to a database. */
  export type Database = DatabaseClass
  /** What the database reports. */
  export type SqliteError = ErrorClass
  /** Every `code` that a {@link SqliteError} can carry. */
  export type SqliteErrorCode = Code
  /** How to open a database. */
  export type Options = OpenOptions
  /** A prepared statement: the arguments of its calls, and what a row is. */
  export type Statement<P extends readonly unknown[] = values.BindArgument[], Result = values.Row> = StatementClass<
    P,
    Result
  >
  /** A function that runs in a transaction. */
  export type Transaction<F extends (...args: never[]) => unknown> = TransactionFunction<F>
  /** What a column holds. */
  export type SqlValue = values.SqlValue
  /** A row as an object. */
  export type Row = values.Row
  /** What can be bound to one parameter. */
  export type BindValue = values.BindValue
  /** An argument of a call: a value, an array of values, or an object with named ones. */
  export type BindArgument = values.BindArgument
  /** What a statement did. */
  export type RunResult = values.RunResult
  /** A column of a result. */
  export type ColumnDefinition = values.ColumnDefinition
}

export = Database
