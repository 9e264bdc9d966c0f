import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { declarations } from '../../scripts/declarations.mjs'
import { platformsSource } from '../../scripts/platforms.mjs'

const here = fileURLToPath(new URL('../../', import.meta.url))
const committed = (name) => readFileSync(join(here, name), 'utf8')

test('ts/load/platforms.ts agrees with targets.json', () => {
  assert.equal(committed('ts/load/platforms.ts'), platformsSource())
})

test('ts/load/native.d.ts agrees with the addon', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-definitions-'))
  try {
    const { status, stderr } = spawnSync('cargo', ['check', '--quiet', '--locked', '-p', 'bindings_node'], {
      cwd: here,
      encoding: 'utf8',
      env: { ...process.env, NAPI_TYPE_DEF_TMP_FOLDER: folder },
    })
    assert.equal(status, 0, stderr)
    assert.equal(committed('ts/load/native.d.ts'), await declarations(folder))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

// A fixed bug: nixpkgs' napi-rs-cli 2.17 is a single program without a library, and the failed import printed Node's
// stack.
test('a napi CLI without a library causes a one-line error that names the right package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-napi-cli-'))
  try {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/declarations.mjs', folder], {
      cwd: here,
      encoding: 'utf8',
      env: { ...process.env, NAPI_RS_CLI: folder },
    })
    const message = `NAPI_RS_CLI: ${folder} has no lib/napi-rs-cli/dist/index.js; set NAPI_RS_CLI to the path of nixpkgs' napi-rs-cli_3, version 3 or later\n`
    assert.deepEqual({ status, stdout, stderr }, { status: 1, stdout: '', stderr: message })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('the package has the version of the workspace', () => {
  const manifest = readFileSync(join(here, '../../Cargo.toml'), 'utf8')
  const [, version] = /\[workspace\.package\]\s+version = "(.*)"/.exec(manifest)
  assert.equal(JSON.parse(committed('package.json')).version, version)
})

test('the package has the licence of the repository', () => {
  assert.equal(committed('LICENSE'), readFileSync(join(here, '../../LICENSE'), 'utf8'))
})
