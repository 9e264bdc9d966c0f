// The scripts that publish and load sealed packages, on a machine that has no npm, or one that holds files for longer.
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

/** A folder as `cargo xtask pack` makes it, whose tarballs npm cannot read. */
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

// That npm was not there read as a registry that does not answer.
test('without npm it is npm that is missing', { skip: process.platform === 'win32' && 'a shell looks for npm' }, () => {
  const PATH = mkdtempSync(join(folder, 'empty-'))
  const said = 'error: npm is not on PATH: install Node with npm, and run this again\n'
  for (const args of [['--dry-run'], ['--tag', 'v1.2.3']])
    assert.equal(script('publish.mjs', [sealed(), ...args], { PATH }), said)
  assert.equal(script('load.mjs', [sealed(), platform], { PATH }), said)
})

// EBUSY from the folder that is removed at the end took the place of what the packages had shown.
test('a folder that cannot be removed yet is tried again, and is not what fails', () => {
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
  assert.ok(said.includes(`${join(temporary, left)} is left behind (EBUSY): remove it yourself\n`), said)
  assert.ok(said.includes(`error: the packages for ${platform} cannot be used here; the reason is above`), said)
})
