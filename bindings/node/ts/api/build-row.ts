/** Builds a row from its columns' values, in their order. */
export type BuildRow = (...values: never[]) => unknown

/** The form of a statement's rows. */
export type Shape = 'object' | 'array' | 'expanded'

/** Functions by shape and names, which statements with the same columns share. */
const compiled = new Map<string, BuildRow>()
const MAX_COMPILED = 1000

/** Whether this process may compile strings, which `--disallow-code-generation-from-strings` forbids. */
const mayCompile = (() => {
  try {
    new Function('')
    return true
  } catch {
    return false
  }
})()

/** Returns the function that builds a row with these columns. `tables` names the table of each column for `expanded`. */
export function buildRow(
  shape: Shape,
  names: readonly string[],
  tables: readonly (string | null | undefined)[] = [],
): BuildRow {
  if (shape === 'expanded') return expand(names, tables)
  const key = shape === 'array' ? String(names.length) : JSON.stringify(names)
  let build = compiled.get(key)
  if (build === undefined) {
    build = mayCompile ? compile(shape, names) : interpret(shape, names)
    if (compiled.size === MAX_COMPILED) compiled.clear()
    compiled.set(key, build)
  }
  return build
}

/** Compiles an object literal, the fastest way to create many objects of one shape. */
function compile(shape: Shape, names: readonly string[]): BuildRow {
  const values = names.map((_, i) => `v${i}`)
  // JSON's quotes make a string literal of any name. The key "__proto__" is computed, because a literal one sets the
  // prototype. The other keys are not, because V8 creates objects with computed keys several times slower.
  const properties = names.map((name, i) =>
    name === '__proto__' ? `['__proto__']:v${i}` : `${JSON.stringify(name)}:v${i}`,
  )
  const row = shape === 'array' ? `[${values.join()}]` : `({${properties.join()}})`
  return new Function(...values, `return ${row}`) as BuildRow
}

/** Groups the columns of a row by their tables. Expressions have none, and are in the group `$`. */
function expand(names: readonly string[], tables: readonly (string | null | undefined)[]): BuildRow {
  return (...values: never[]) => {
    const row = {}
    names.forEach((name, i) => {
      const table = tables[i] ?? '$'
      if (!Object.hasOwn(row, table)) define(row, table, {})
      define((row as Record<string, object>)[table] as object, name, values[i])
    })
    return row
  }
}

function define(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
}

function interpret(shape: Shape, names: readonly string[]): BuildRow {
  if (shape === 'array') return (...values: never[]) => values
  return (...values: never[]) => {
    const row = {}
    names.forEach((name, i) => {
      define(row, name, values[i])
    })
    return row
  }
}
