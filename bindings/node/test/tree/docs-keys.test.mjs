// Every example of docs/keys.md runs, in the order of the page, in one folder, and prints what its comments say.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const page = readFileSync(new URL('../../../../docs/keys.md', import.meta.url), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'strongroom-docs-'))
after(() => rmSync(folder, { recursive: true, force: true }))

// Neither a keychain nor a KMS can be had on every machine: these have the interface that the examples use.
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
for (const [name, source] of Object.entries(STUBS)) writeFileSync(join(folder, name), source)

const examples = [...page.matchAll(/^#+ ([^\n]*)$|```js\n(.*?)```/gms)].reduce(
  ({ heading, list }, [, title, code]) =>
    code === undefined ? { heading: title, list } : { heading, list: [...list, { heading, code }] },
  { heading: '', list: [] },
).list

test('the page has its examples', () => assert.ok(examples.length >= 10, `${examples.length}`))

examples.forEach(({ heading, code }, index) => {
  test(`example ${index + 1}: ${heading}`, () => {
    const file = join(folder, `example-${index + 1}.mjs`)
    writeFileSync(
      file,
      code
        .replaceAll("'strongroom'", JSON.stringify(import.meta.resolve('strongroom')))
        .replaceAll("'@napi-rs/keyring'", "'./keyring.mjs'"),
    )
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' })
    const said = [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, line]) => `${line}\n`).join('')
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: said, stderr: '' })
  })
})
