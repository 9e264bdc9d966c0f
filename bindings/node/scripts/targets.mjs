// Reads targets.json, and names the npm packages. Every script takes the names from here; crates/release/node-targets
// has the same functions for Rust.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The package that users install. The name is also the scope of the platforms' packages. */
export const MAIN = 'strongroom'

/** Returns the rows of targets.json. */
export function targets() {
  const file = fileURLToPath(new URL('../../../targets.json', import.meta.url))
  return JSON.parse(readFileSync(file, 'utf8')).targets
}

/** Returns the name of a platform's package: @strongroom/linux-x64-gnu. */
export function packageOf({ platform }) {
  return `@${MAIN}/${platform}`
}
