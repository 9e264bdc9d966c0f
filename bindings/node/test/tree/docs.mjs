// Reads the pages of docs/, and runs their examples.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The pages whose blocks are parts of files in clients/: docs-clients.test.mjs compares the blocks, and the suite runs
 * the files.
 */
export const CLIENT_PAGES = ['clients.md', 'from-better-sqlite3.md', 'from-multiple-ciphers.md', 'from-sqlcipher.md']

/** Returns the text of a page. */
export function page(name) {
  return readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8')
}

/** Returns the headings of a page, without their marks. */
export function headings(text) {
  return [...text.replaceAll(/```.*?```/gs, '').matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading)
}

/**
 * Returns the examples of a page with their headings. An example that does not import the package runs after the page's
 * first example.
 */
export function examples(text) {
  let heading = ''
  const found = []
  for (const [, title, code] of text.matchAll(/^#+ ([^\n]*)$|```js\n(.*?)```/gms)) {
    if (code === undefined) heading = title
    else found.push({ heading, code, setup: /from 'strongroom(\/async)?'/.test(code) ? '' : (found[0]?.code ?? '') })
  }
  return found
}

/** Returns the lines that an example says it prints. */
export function said(code) {
  return [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, line]) => `${line}\n`).join('')
}

/** The packages that the examples import and that are not installed, with the stubs that replace them. */
const PACKAGES = { '@napi-rs/keyring': './keyring.mjs' }
// Not every machine has a keychain or a KMS. These stubs have the interface that the examples use.
const STUBS = {
  'keyring.mjs': `
    import { existsSync, readFileSync, writeFileSync } from 'node:fs'
    export class Entry {
      constructor(service, name) { this.file = service + '-' + name }
      getSecret() { return existsSync(this.file) ? new Uint8Array(readFileSync(this.file)) : null }
      setSecret(secret) { writeFileSync(this.file, secret) }
    }`,
  'kms.mjs': `
    const flip = async (bytes) => Buffer.from(bytes.map((byte) => byte ^ 0x55))
    export const kms = { encrypt: flip, decrypt: flip }`,
}

/** Creates a folder for examples. */
export function prepare(folder) {
  mkdirSync(folder, { recursive: true })
  for (const [name, source] of Object.entries(STUBS)) writeFileSync(join(folder, name), source)
}

/** Runs an example in a folder. Returns its exit code and its output. */
export function run({ code, setup }, folder, name) {
  const file = join(folder, `${name}.mjs`)
  const source = `${setup}\n${code}`.replaceAll(/ from '([^'.][^']*)'/g, (whole, name) =>
    name.startsWith('node:') ? whole : ` from '${PACKAGES[name] ?? import.meta.resolve(name)}'`,
  )
  writeFileSync(file, source)
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' })
  return { status, stdout, stderr }
}
