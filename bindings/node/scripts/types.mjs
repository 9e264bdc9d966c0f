// Compiles the type tests with each version of TypeScript that the package supports:
//
//   node scripts/types.mjs [FOLDER]
//
// FOLDER is test/types or a copy of it beside an installed package. The compilers and Node's types come from this tree.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('../', import.meta.url))
const [folder = join(here, 'test/types')] = process.argv.slice(2)

/** The compilers by their names in package.json, with the flags that only this version accepts. */
const COMPILERS = {
  'typescript-5.4': [],
  'typescript-5.9': [],
  // TypeScript 6 reports `esModuleInterop: false` as deprecated, but current programs use it.
  typescript: ['--ignoreDeprecations', '6.0'],
}
const PROJECTS = ['.', 'no-interop']

const resolve = createRequire(import.meta.url).resolve
const common = ['--noEmit', '--typeRoots', join(here, 'node_modules/@types')]
for (const [compiler, flags] of Object.entries(COMPILERS)) {
  for (const project of PROJECTS) {
    const args = [resolve(`${compiler}/bin/tsc`), '-p', join(folder, project), ...common, ...flags]
    const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
    if (status === 0) continue
    console.error(`${compiler} refuses ${join(folder, project)}; its messages are above`)
    process.exitCode = 1
  }
}
