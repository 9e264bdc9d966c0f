// Runs the scripts that publish and load sealed packages, on a machine without npm or with locked files.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { platform } from '../loading.mjs'
import { folder } from '../temporary.mjs'

const scripts = fileURLToPath(new URL('../../scripts/', import.meta.url))

/** Creates a folder like the one that `cargo xtask pack` writes, with tarballs that npm cannot read. */
function sealed() {
  const made = mkdtempSync(join(folder, 'packages-'))
  const { targets } = JSON.parse(readFileSync(join(scripts, '../../../targets.json'), 'utf8'))
  const names = [...targets.map((target) => `@strongroom/${target.platform}`), 'strongroom']
  const packages = names.map((name) => {
    const file = `${name.replace('@', '').replace('/', '-')}-1.2.3.tgz`
    writeFileSync(join(made, file), name)
    const integrity = `sha512-${createHash('sha512').update(name).digest('base64')}`
    return { name, version: '1.2.3', file, size: name.length, integrity }
  })
  writeFileSync(join(made, 'manifest.json'), JSON.stringify({ version: '1.2.3', packages }))
  return made
}

function script(name, args, { flags = [], ...env } = {}) {
  const options = { encoding: 'utf8', env: { ...process.env, ...env } }
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, join(scripts, name), ...args], options)
  assert.equal(status, 1, stdout)
  assert.doesNotMatch(stderr, /^ {4}at /m)
  return stderr
}

// A fixed bug: the scripts reported a missing npm as a registry that does not answer.
test('the scripts report a missing npm', {
  skip: process.platform === 'win32' && 'Windows starts npm through a shell, which reports a missing npm itself',
}, () => {
  const PATH = mkdtempSync(join(folder, 'empty-'))
  const said = 'error: npm is not on PATH: install Node with npm, then run the command again\n'
  for (const args of [['--dry-run'], ['--tag', 'v1.2.3']])
    assert.equal(script('publish.mjs', [sealed(), ...args], { PATH }), said)
  assert.equal(script('load.mjs', [sealed(), platform], { PATH }), said)
})

// A fixed bug: an EBUSY error from the removal of the temporary folder replaced the error from the packages.
test("the removal of a busy folder is retried, and its failure does not replace the script's own error", () => {
  const temporary = join(folder, 'temporary')
  mkdirSync(temporary)
  const busy = join(folder, 'busy.mjs')
  writeFileSync(
    busy,
    `import fs from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    fs.rmSync = (path, { maxRetries, retryDelay }) => {
      console.error('retries for', maxRetries * retryDelay)
      throw Object.assign(new Error('held by a virus scanner'), { code: 'EBUSY' })
    }
    syncBuiltinESMExports()`,
  )
  const flags = ['--import', pathToFileURL(busy).href]
  const said = script('load.mjs', [sealed(), platform], {
    flags,
    TMPDIR: temporary,
    TEMP: temporary,
    // npm of Node 24 keeps a compile cache in the folder for temporary files.
    NODE_DISABLE_COMPILE_CACHE: '1',
  })
  const [left] = readdirSync(temporary)
  assert.match(said, /^retries for 2000$/m)
  assert.ok(said.includes(`cannot remove ${join(temporary, left)} (EBUSY); remove it by hand\n`), said)
  assert.ok(said.includes(`error: the packages for ${platform} cannot be used here; the reason is above`), said)
})
