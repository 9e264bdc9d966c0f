// The addon's types, from what napi-derive wrote while its macros expanded:
//
//   NAPI_TYPE_DEF_TMP_FOLDER=DEFINITIONS cargo check -p bindings_node
//   node scripts/declarations.mjs DEFINITIONS > ts/native.d.ts
//
// The napi CLI is that of node_modules, or the nixpkgs package that NAPI_RS_CLI names.
import { existsSync, readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** The text of ts/native.d.ts. */
export async function declarations(definitions) {
  const { generateTypeDef } = await import(napiCli())
  if (readdirSync(definitions).length === 0)
    throw new Error(`no type definitions in ${definitions}: did cargo expand the macros of bindings_node?`)
  const { exports, dts } = await generateTypeDef({
    typeDefDir: resolve(definitions),
    cwd: process.cwd(),
    constEnum: false,
    dtsHeader: '// Generated from the addon by scripts/declarations.mjs\n\n',
  })
  if (exports.length === 0) throw new Error(`the definitions in ${definitions} declare nothing`)
  return dts
}

function napiCli() {
  const packaged = process.env.NAPI_RS_CLI
  if (!packaged) return '@napi-rs/cli'
  const library = resolve(packaged, 'lib/napi-rs-cli/dist/index.js')
  if (!existsSync(library))
    throw new Error(
      `NAPI_RS_CLI: ${packaged} has no lib/napi-rs-cli/dist/index.js; name nixpkgs' napi-rs-cli_3, version 3 or later`,
    )
  return pathToFileURL(library).href
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [definitions] = process.argv.slice(2)
  if (!definitions) throw new Error('usage: node scripts/declarations.mjs DEFINITIONS > ts/native.d.ts')
  try {
    process.stdout.write(await declarations(definitions))
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
