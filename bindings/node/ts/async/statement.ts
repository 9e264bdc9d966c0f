import type { Shape } from '../api/build-row'
import { argumentType, NO_ROWS } from '../api/errors'
import { enumerable, uncloneable } from '../api/objects'
import type { ColumnDefinition, RunResult } from '../api/values'
import type { NativePrepared } from '../load/native'
import { signalOf } from './arguments'
import { ALL, GET, PREPARE, RUN } from './hub'
import { AsyncRowIterator } from './iterator'
import type { AsyncParameters, CallOptions } from './options'
import { type Form, iterate, run, runText } from './query'
import type { Scope } from './scope'
import type { Sql } from './sql'

/**
 * A prepared statement, which `prepare` returns. Each call runs in the database, transaction or snapshot that prepared
 * the statement.
 *
 * @typeParam Parameters - the values of the parameters
 * @typeParam Row - the type of a row, which is not checked: `unknown` requires a cast
 */
export class AsyncStatement<Parameters extends AsyncParameters = AsyncParameters, Row = unknown> {
  /** The statement's SQL, without keys. */
  readonly source: string
  /** `true` if the statement returns rows, as `get`, `all` and `iterate` require. */
  readonly reader: boolean
  /** `true` if the statement leaves the database unchanged. */
  readonly readonly: boolean
  readonly #scope: Scope
  readonly #sql: Sql
  #shape: Shape = 'object'
  #bigints: boolean

  /** @internal */
  constructor(scope: Scope, sql: Sql, facts: NativePrepared) {
    this.source = facts.source
    this.reader = facts.reader
    this.readonly = facts.readonly
    this.#scope = scope
    this.#sql = sql
    this.#bigints = scope.session.bigints
    uncloneable(this)
  }

  /** Runs the statement to its end. */
  run(params?: Parameters | null, options?: CallOptions | null): Promise<RunResult> {
    return run(this.#scope, RUN_QUERY, this.#sql, params, options, this.#form()) as Promise<RunResult>
  }

  /** Returns the first row, or undefined. */
  get(params?: Parameters | null, options?: CallOptions | null): Promise<Row | undefined> {
    if (!this.reader) return Promise.reject(withoutRows())
    return run(this.#scope, GET_QUERY, this.#sql, params, options, this.#form()) as Promise<Row | undefined>
  }

  /** Returns every row. */
  all(params?: Parameters | null, options?: CallOptions | null): Promise<Row[]> {
    if (!this.reader) return Promise.reject(withoutRows())
    return run(this.#scope, ALL_QUERY, this.#sql, params, options, this.#form()) as Promise<Row[]>
  }

  /** Returns an iterator of the rows. */
  iterate(params?: Parameters | null, options?: CallOptions | null): AsyncRowIterator<Row> {
    if (!this.reader) return new AsyncRowIterator<Row>(() => Promise.reject(withoutRows()))
    return iterate(this.#scope, ITERATE_QUERY, this.#sql, params, options, this.#form())
  }

  /**
   * Sets whether rows are returned as the value of their first column.
   *
   * @typeParam Value - the type of the value; without this argument the type of a row does not change
   */
  pluck(toggle?: boolean): this
  pluck<Value>(toggle?: boolean): AsyncStatement<Parameters, Value>
  pluck(toggle = true): AsyncStatement<Parameters, unknown> {
    return this.#reshape('pluck', 'value', toggle)
  }

  /**
   * Sets whether a row is an object with an object for each table, and an object named `$` for expressions.
   *
   * @typeParam Tables - the type of the object; without this argument the type of a row does not change
   */
  expand(toggle?: boolean): this
  expand<Tables extends object>(toggle?: boolean): AsyncStatement<Parameters, Tables>
  expand(toggle = true): AsyncStatement<Parameters, unknown> {
    return this.#reshape('expand', 'expanded', toggle)
  }

  /**
   * Sets whether a row is an array of its columns' values.
   *
   * @typeParam Values - the type of the array; without this argument the type of a row does not change
   */
  raw(toggle?: boolean): this
  raw<Values extends unknown[]>(toggle?: boolean): AsyncStatement<Parameters, Values>
  raw(toggle = true): AsyncStatement<Parameters, unknown> {
    return this.#reshape('raw', 'array', toggle)
  }

  /** Sets whether INTEGER values and `lastInsertRowid` are bigints. Numbers are inexact beyond 2^53. */
  safeIntegers(toggle = true): this {
    if (typeof toggle !== 'boolean') throw argumentType('Expected first argument to be a boolean')
    this.#bigints = toggle
    return this
  }

  /** Returns the columns of the rows and their origins. */
  async columns(options?: CallOptions | null): Promise<ColumnDefinition[]> {
    if (!this.reader) throw withoutRows('The columns() method is only for statements that return data')
    const { columns } = (await prepared(this.#scope, this.#sql.text, options)) as NativePrepared
    return Array.from(columns, ({ name, column = null, table = null, database = null, type = null }) => ({
      name,
      column,
      table,
      database,
      type,
    }))
  }

  #form(): Form {
    return { shape: this.#shape, bigints: this.#bigints }
  }

  #reshape(method: string, shape: Shape, toggle: boolean): AsyncStatement<Parameters, unknown> {
    if (!this.reader) throw withoutRows(`The ${method}() method is only for statements that return data`)
    if (typeof toggle !== 'boolean') throw argumentType('Expected first argument to be a boolean')
    if (toggle) this.#shape = shape
    else if (this.#shape === shape) this.#shape = 'object'
    return this as AsyncStatement<Parameters, unknown>
  }
}
enumerable(AsyncStatement.prototype)

const { prototype } = AsyncStatement
const RUN_QUERY = { kind: RUN, method: prototype.run, position: 'second' } as const
const GET_QUERY = { kind: GET, method: prototype.get, position: 'second' } as const
const ALL_QUERY = { kind: ALL, method: prototype.all, position: 'second' } as const
const ITERATE_QUERY = { method: prototype.iterate, position: 'second' } as const

/** Compiles SQL on a thread, and returns the facts of the statement. */
function prepared(scope: Scope, text: string, options: unknown): Promise<unknown> {
  const call = runText(scope, PREPARE, AsyncStatement.prototype.columns, text, (call) => {
    call.signal = signalOf(options, 'first')
  })
  return call.promise
}

function withoutRows(message = NO_ROWS): TypeError {
  return argumentType(message)
}
