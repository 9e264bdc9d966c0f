// Generates the addon's TypeScript types from the definitions that napi-derive's macros write as they expand:
//
//   NAPI_TYPE_DEF_TMP_FOLDER=DEFINITIONS cargo check -p bindings_node
//   node scripts/declarations.mjs DEFINITIONS > ts/load/native.d.ts
//
// Uses the napi CLI in node_modules, or the nixpkgs package that NAPI_RS_CLI names.
import { existsSync, readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const REMEDY = "set NAPI_RS_CLI to the path of nixpkgs' napi-rs-cli_3, version 3 or later"

/** An error whose message suffices. Any other error is printed with its stack. */
class Problem extends Error {}

/** Returns the text of ts/load/native.d.ts. */
export async function declarations(definitions) {
  const generateTypeDef = await generator()
  if (readdirSync(definitions).length === 0)
    throw new Problem(`${definitions} is empty: did cargo expand the macros of bindings_node?`)
  const { exports, dts } = await generateTypeDef({
    typeDefDir: resolve(definitions),
    cwd: process.cwd(),
    constEnum: false,
    dtsHeader: '// Generated from the addon by scripts/declarations.mjs\n\n',
  })
  if (exports.length === 0) throw new Problem(`the definitions in ${definitions} have no exports`)
  return dts
}

async function generator() {
  const packaged = process.env.NAPI_RS_CLI
  if (!packaged) {
    const { generateTypeDef } = await import('@napi-rs/cli').catch((cause) => {
      throw new Problem('@napi-rs/cli is not installed: run npm ci in bindings/node', { cause })
    })
    return generateTypeDef
  }
  const library = resolve(packaged, 'lib/napi-rs-cli/dist/index.js')
  if (!existsSync(library))
    throw new Problem(`NAPI_RS_CLI: ${packaged} has no lib/napi-rs-cli/dist/index.js; ${REMEDY}`)
  const { generateTypeDef } = await import(pathToFileURL(library).href)
  if (typeof generateTypeDef !== 'function')
    throw new Problem(`NAPI_RS_CLI: ${library} exports no generateTypeDef; ${REMEDY}`)
  return generateTypeDef
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [definitions] = process.argv.slice(2)
  if (!definitions) throw new Error('usage: node scripts/declarations.mjs DEFINITIONS > ts/load/native.d.ts')
  try {
    process.stdout.write(await declarations(definitions))
  } catch (error) {
    console.error(error instanceof Problem ? error.message : error)
    process.exitCode = 1
  }
}
