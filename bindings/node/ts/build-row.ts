/** Makes a row out of its columns' values, in their order. */
export type BuildRow = (...values: never[]) => unknown

/** How a statement hands its rows over. */
export type Shape = 'object' | 'array'

/** Functions by shape and names: what one statement compiled serves every other with the same columns. */
const compiled = new Map<string, BuildRow>()
const LIMIT = 1000

/** Whether this process may compile strings; with `--disallow-code-generation-from-strings` it may not. */
const mayCompile = (() => {
  try {
    new Function('')
    return true
  } catch {
    return false
  }
})()

/** The function that builds a row with these columns. */
export function buildRow(shape: Shape, names: readonly string[]): BuildRow {
  const key = shape === 'array' ? String(names.length) : JSON.stringify(names)
  let build = compiled.get(key)
  if (build === undefined) {
    build = mayCompile ? compile(shape, names) : interpret(shape, names)
    if (compiled.size === LIMIT) compiled.clear()
    compiled.set(key, build)
  }
  return build
}

/** An object literal is the fastest way to make many objects of one shape. */
function compile(shape: Shape, names: readonly string[]): BuildRow {
  const values = names.map((_, i) => `v${i}`)
  // JSON's quotes make a string literal of any name. "__proto__" would set the prototype, but for a computed key; the
  // others are not computed, because V8 makes those objects several times slower.
  const properties = names.map((name, i) =>
    name === '__proto__' ? `['__proto__']:v${i}` : `${JSON.stringify(name)}:v${i}`,
  )
  const row = shape === 'array' ? `[${values.join()}]` : `({${properties.join()}})`
  return new Function(...values, `return ${row}`) as BuildRow
}

function interpret(shape: Shape, names: readonly string[]): BuildRow {
  if (shape === 'array') return (...values: never[]) => values
  return (...values: never[]) => {
    const row = {}
    names.forEach((name, i) => {
      Object.defineProperty(row, name, { value: values[i], writable: true, enumerable: true, configurable: true })
    })
    return row
  }
}
