import { Buffer } from 'node:buffer'
import { type Calls, FIRST } from './calls'

/** The form of a statement's rows. */
export type Shape = 'object' | 'array' | 'expanded' | 'value'

/** The columns of a statement's rows, as the addon reports them. */
export interface Columns {
  readonly names: readonly string[]
  /** The table of each column, undefined for an expression. */
  readonly tables: readonly (string | null | undefined)[]
  readonly kinds: readonly number[]
}

/** Builds rows from the results of a call. */
export interface Reader {
  /** Builds a single row from the value that the call returned, which is an array if `values` is more than 1. */
  one(value: unknown, values: number): unknown
  /** Appends rows. */
  many(rows: unknown[], count: number, value: unknown, values: number): void
}

/**
 * The kinds of values that the addon passes in the shared memory. The addon passes a value of any other kind as a
 * JavaScript value.
 */
const SMALL = 0
const NUMBER = 1
const BIGINT = 2
const BLOB = 3

/** The maximum number of cached readers. */
const MAX_READERS = 1000

/** `true` unless `--disallow-code-generation-from-strings` forbids compiling strings. */
const mayCompile = (() => {
  try {
    new Function('')
    return true
  } catch {
    return false
  }
})()

/** Node's internal class of Buffers. The class's constructor is several times faster than `Buffer.from`. */
const FastBuffer = (() => {
  const Species = (Buffer as unknown as Record<symbol, unknown>)[Symbol.species] as typeof Uint8Array | undefined
  const usable = typeof Species === 'function' && Species.prototype === (Buffer.prototype as unknown)
  return usable ? Species : undefined
})()

/** Returns the reader of rows with these columns. */
export function readerOf(calls: Calls, shape: Shape, columns: Columns): Reader {
  if (shape === 'expanded') return expanded(readerOf(calls, 'array', columns), columns)
  const names = shape === 'object' ? JSON.stringify(columns.names) : ''
  const key = `${shape} ${columns.kinds.join('')} ${names}`
  let reader = calls.readers.get(key)
  if (reader === undefined) {
    reader = mayCompile ? compiled(calls, shape, columns) : interpreted(calls, shape, columns)
    if (calls.readers.size === MAX_READERS) calls.readers.clear()
    calls.readers.set(key, reader)
  }
  return reader
}

/**
 * Compiles a reader for the columns: an object literal is the fastest way to create many objects of one shape.
 *
 * The code reads numbers from the shared memory at `slot`, and other values from the list `values` in order.
 */
function compiled({ numbers, ints, bigints, bytes }: Calls, shape: Shape, { names, kinds }: Columns): Reader {
  const expressions = kinds.map((kind, i) => expression(kind, i))
  // JSON quotes turn any name into a string literal. The key "__proto__" is computed, because a literal "__proto__"
  // sets the prototype. The other keys are literals, because V8 creates objects with computed keys several times
  // slower.
  const properties = names.map((name, i) =>
    name === '__proto__' ? `['__proto__']:${expressions[i]}` : `${JSON.stringify(name)}:${expressions[i]}`,
  )
  const row = {
    object: `{${properties.join()}}`,
    array: `[${expressions.join()}]`,
    value: expressions[0] ?? 'undefined',
  }
  const code = `'use strict'
    return {
      one(value, count) {
        const values = count > 1 ? value : [value]
        let next = 0, number = 0
        const slot = ${FIRST}, half = ${2 * FIRST}
        return (${row[shape as keyof typeof row]})
      },
      many(rows, length, value, count) {
        const values = count > 1 ? value : [value]
        let next = 0, number = 0
        for (let i = 0, slot = ${FIRST}; i < length; i++, slot += ${kinds.length}) {
          const half = 2 * slot
          rows.push(${row[shape as keyof typeof row]})
        }
      },
    }`
  const create = new Function('numbers', 'ints', 'bigints', 'blob', 'own', code)
  return create(numbers, ints, bigints, copier(bytes), own) as Reader
}

function expression(kind: number, column: number): string {
  const first = `ints[half+${2 * column}]`
  const second = `ints[half+${2 * column + 1}]`
  switch (kind) {
    case SMALL:
      return first
    case NUMBER:
      // The addon passes NULL as NaN.
      return `((number=numbers[slot+${column}])===number?number:null)`
    case BIGINT:
      return `bigints[slot+${column}]`
    case BLOB:
      return `(${first}>=0?blob(${first},${second}):${second}<0?null:own(values[next++]))`
    default:
      return 'values[next++]'
  }
}

/** Returns a function that copies a small blob out of the shared memory into a new Buffer. */
function copier({ buffer }: Uint8Array): (start: number, length: number) => Uint8Array {
  if (FastBuffer === undefined) return (start, length) => Buffer.from(new Uint8Array(buffer, start, length))
  const Copy = FastBuffer
  return (start, length) => new Copy(new Uint8Array(buffer, start, length))
}

/** Returns a Buffer of the whole ArrayBuffer, or the Buffer that the addon created. */
function own(buffer: ArrayBuffer | Uint8Array): Uint8Array {
  if (ArrayBuffer.isView(buffer)) return buffer
  return FastBuffer === undefined ? Buffer.from(buffer) : new FastBuffer(buffer)
}

/** Reads rows without compiling strings. */
function interpreted({ numbers, ints, bigints, bytes }: Calls, shape: Shape, { names, kinds }: Columns): Reader {
  const blob = copier(bytes)
  const template = {}
  for (const name of names)
    Object.defineProperty(template, name, { value: null, writable: true, enumerable: true, configurable: true })
  let next = 0
  const valueAt = (kind: number, slot: number, values: readonly unknown[]): unknown => {
    switch (kind) {
      case SMALL:
        return ints[2 * slot]
      case NUMBER: {
        const number = numbers[slot] as number
        return Number.isNaN(number) ? null : number
      }
      case BIGINT:
        return bigints[slot]
      case BLOB: {
        const [start, length] = [ints[2 * slot] as number, ints[2 * slot + 1] as number]
        if (start >= 0) return blob(start, length)
        return length < 0 ? null : own(values[next++] as ArrayBuffer)
      }
      default:
        return values[next++]
    }
  }
  const rowAt = (slot: number, values: readonly unknown[]): unknown => {
    if (shape === 'value') return valueAt(kinds[0] as number, slot, values)
    if (shape === 'array') return kinds.map((kind, i) => valueAt(kind, slot + i, values))
    // Copying an object with every property creates objects of one shape.
    const row: Record<string, unknown> = { ...template }
    for (let i = 0; i < kinds.length; i++) row[names[i] as string] = valueAt(kinds[i] as number, slot + i, values)
    return row
  }
  return {
    one(value, count) {
      next = 0
      return rowAt(FIRST, count > 1 ? (value as unknown[]) : [value])
    },
    many(rows, length, value, count) {
      next = 0
      const values = count > 1 ? (value as unknown[]) : [value]
      for (let i = 0; i < length; i++) rows.push(rowAt(FIRST + i * kinds.length, values))
    },
  }
}

/** Groups the columns of a row by table. Expressions have no table, and are in the group `$`. */
function expanded(arrays: Reader, { names, tables }: Columns): Reader {
  const group = (values: readonly unknown[]): object => {
    const row = {}
    names.forEach((name, i) => {
      const table = tables[i] ?? '$'
      if (!Object.hasOwn(row, table)) define(row, table, {})
      define((row as Record<string, object>)[table] as object, name, values[i])
    })
    return row
  }
  return {
    one: (value, count) => group(arrays.one(value, count) as unknown[]),
    many(rows, length, value, count) {
      const values: unknown[] = []
      arrays.many(values, length, value, count)
      for (const row of values) rows.push(group(row as unknown[]))
    },
  }
}

function define(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
}
