import { types } from 'node:util'
import { wellFormed } from './arguments'
import { type Callback, lengthOf, nameArgument, register, sqlValue } from './callbacks'
import { argumentType, outOfRange } from './errors'
import type { Session } from './session'

const MAX_PARAMETERS = 32

/** The definition of a virtual table for {@link Database.table}. */
export interface VirtualTableOptions {
  /**
   * A generator function that gets the parameters and yields the rows. A row is an array with a value per column, or an
   * object with a property per column. The function cannot use the database.
   */
  // biome-ignore lint/suspicious/noExplicitAny: the types of the arguments are the caller's
  rows: (...parameters: any[]) => Generator
  /** The names of the columns. */
  columns: string[]
  /**
   * The names of the parameters, which are hidden columns. SQL passes their values as in `SELECT * FROM name(1, 2)`, or
   * with `=` in the WHERE clause. Default: `$1`, `$2` and so on, as many as `rows` declares. The table is empty if a
   * parameter is NULL; a parameter that is not passed is undefined.
   */
  parameters?: string[] | undefined
  /** Passes INTEGER parameters as bigints. Default: the setting of {@link Database.defaultSafeIntegers}. */
  safeIntegers?: boolean | undefined
  /** Prevents views, triggers and other parts of the schema from reading the table. Default: false. */
  directOnly?: boolean | undefined
}

/** The `this` of a function that makes virtual tables. */
export interface VirtualTableContext {
  /** The name of the module. */
  module: string
  /** The database that holds the table: `main`, `temp`, or the name of an attached database. */
  database: string
  /** The name of the table. */
  table: string
}

/** The checked definition of a table. */
interface Definition {
  columns: string[]
  parameters: string[]
  rows: Callback
  safeIntegers: boolean | undefined
  directOnly: boolean
}

/** A scan of a table. The addon reads `values`, and passes the cursor back. */
interface Cursor {
  rows: Iterator<unknown>
  values: unknown[]
}

/** Checks the arguments of `table`, and creates the module. */
export function defineTable(session: Session, name: unknown, definition: unknown): void {
  const module = nameArgument(name)
  if (module === '') throw argumentType('Virtual table module name cannot be an empty string')
  const eponymous = typeof definition === 'object' && definition !== null
  let define: (words: readonly string[]) => Definition
  if (eponymous) {
    const checked = tableDefinition(module, 'used', definition)
    define = () => checked
  } else {
    if (typeof definition !== 'function')
      throw argumentType('Expected second argument to be a function or a table definition object')
    define = (words) => made(module, definition as Callback, words)
  }
  wellFormed(module, 'the name of the virtual table module')
  session.idle()
  const connect = (...words: string[]) => {
    session.callbacks.release(session.native.takeReleased())
    return connected(
      session,
      module,
      session.callback(() => define(words)),
    )
  }
  register(session, connect, (registration) => session.native.table(module, eponymous, registration, connect))
}

/** Calls the caller's function for a CREATE VIRTUAL TABLE statement. */
function made(moduleName: string, factory: Callback, words: readonly string[]): Definition {
  const [module = '', database = '', table = '', ...values] = words
  const context: VirtualTableContext = { module, database, table }
  const definition: unknown = Reflect.apply(factory, context, values)
  if (typeof definition !== 'object' || definition === null)
    throw argumentType(`Virtual table module "${moduleName}" did not return a table definition object`)
  return tableDefinition(moduleName, 'returned', definition)
}

/** Returns a table for the addon. */
function connected(session: Session, module: string, definition: Definition): object {
  const { columns, parameters, rows, directOnly } = definition
  const positions = new Map(columns.map((column, position) => [column, position]))
  const open = (...values: unknown[]): Cursor =>
    session.callback(() => {
      const generator = rows(...values) as Iterable<unknown>
      return { rows: generator[Symbol.iterator](), values: columns.map(() => null) }
    })
  const next = (cursor: Cursor): boolean =>
    session.callback(() => {
      const { done, value } = cursor.rows.next()
      if (done) return false
      readRow(module, positions, value, cursor.values)
      return true
    })
  const close = (cursor: Cursor): unknown => session.callback(() => cursor.rows.return?.())
  const registration = session.callbacks.hold([open, next, close])
  const bigints = definition.safeIntegers ?? session.bigints
  return { columns, parameters, directOnly, bigints, registration, open, next, close }
}

/** Writes the values of a row in the order of the columns. */
function readRow(module: string, positions: ReadonlyMap<string, number>, row: unknown, values: unknown[]): void {
  const wrong = (what: string) => argumentType(`Virtual table module "${module}" yielded ${what}`)
  if (typeof row !== 'object' || row === null) throw wrong("something that isn't a valid row object")
  if (Array.isArray(row)) {
    if (row.length !== values.length) throw wrong('a row with an incorrect number of columns')
    for (let i = 0; i < values.length; i++) values[i] = sqlValue(row[i])
    return
  }
  const keys = Object.keys(row)
  for (const key of keys) {
    const position = positions.get(key)
    if (position === undefined) throw wrong(`a row with an undeclared column "${key}"`)
    values[position] = sqlValue((row as Record<string, unknown>)[key])
  }
  if (keys.length !== values.length) throw wrong('a row with missing columns')
}

/** Checks the definition of a table. `verb` says where the definition comes from. */
function tableDefinition(module: string, verb: 'used' | 'returned', definition: object): Definition {
  const given = definition as Record<string, unknown>
  const wrong = (what: string) => argumentType(message(what))
  const message = (what: string) => `Virtual table module "${module}" ${verb} a table definition ${what}`
  for (const name of ['rows', 'columns']) if (!Object.hasOwn(given, name)) throw wrong(`without a "${name}" property`)
  const rows = given['rows']
  if (!types.isGeneratorFunction(rows) || types.isAsyncFunction(rows))
    throw wrong('with an invalid "rows" property (should be a generator function)')
  const columns = strings(given['columns'])
  if (columns === undefined) throw wrong('with an invalid "columns" property (should be an array of strings)')
  if (hasDuplicates(columns)) throw wrong('with duplicate column names')
  if (columns.length === 0) throw outOfRange(message('with zero columns'))
  const parameters = Object.hasOwn(given, 'parameters') ? strings(given['parameters']) : inferred(rows as Callback)
  if (parameters === undefined) throw wrong('with an invalid "parameters" property (should be an array of strings)')
  if (hasDuplicates(parameters)) throw wrong('with duplicate parameter names')
  if (parameters.length > MAX_PARAMETERS)
    throw outOfRange(message(`with more than the maximum number of ${MAX_PARAMETERS} parameters`))
  const both = parameters.find((parameter) => columns.includes(parameter))
  if (both !== undefined)
    throw wrong(`with column "${both}" which was ambiguously defined as both a column and parameter`)
  for (const name of [...columns, ...parameters]) wellFormed(name, 'the name of a column')
  const boolean = (name: string): boolean | undefined => {
    if (!Object.hasOwn(given, name)) return undefined
    const value = given[name]
    if (typeof value !== 'boolean') throw wrong(`with an invalid "${name}" property (should be a boolean)`)
    return value
  }
  const safeIntegers = boolean('safeIntegers')
  const directOnly = boolean('directOnly') ?? false
  return { columns, parameters, rows: rows as Callback, safeIntegers, directOnly }
}

/** Returns a copy of an array of strings, or undefined for any other value. */
function strings(value: unknown): string[] | undefined {
  if (!Array.isArray(value)) return undefined
  const copy: unknown[] = [...value]
  for (const element of copy) if (typeof element !== 'string') return undefined
  return copy as string[]
}

function hasDuplicates(names: readonly string[]): boolean {
  return new Set(names).size !== names.length
}

function inferred(rows: Callback): string[] {
  return Array.from({ length: lengthOf(rows) }, (_, i) => `$${i + 1}`)
}
