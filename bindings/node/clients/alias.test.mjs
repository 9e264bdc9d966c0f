// Tests npm in a project that previously depended on better-sqlite3. The packages of that name are empty packages that
// this test creates.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { run, source } from './project.mjs'
import { startRegistry } from './registry.mjs'

const folder = mkdtempSync(join(tmpdir(), 'strongroom-client-alias-'))
const cwd = join(folder, 'project')
const CLIENT = 'client-of-better-sqlite3'
let registry

/** Packs an empty package, and returns the package's manifest and tarball. */
function packed(name, version, dependencies) {
  const home = join(folder, `${name}-${version}`, 'package')
  const manifest = { name, version, dependencies }
  mkdirSync(home, { recursive: true })
  writeFileSync(join(home, 'package.json'), JSON.stringify(manifest))
  return { manifest, tarball: execFileSync('tar', ['-cz', '-C', join(home, '..'), 'package']) }
}

before(async () => {
  const packages = [
    packed('better-sqlite3', '12.0.0'),
    packed('better-sqlite3', '13.0.0'),
    packed(CLIENT, '1.0.0', { 'better-sqlite3': '^12.0.0' }),
  ]
  const others = new Map()
  for (const name of ['better-sqlite3', CLIENT]) {
    const own = packages.filter(({ manifest }) => manifest.name === name)
    const path = ({ version }) => `/${name}/-/${name}-${version}.tgz`
    for (const { manifest, tarball } of own) others.set(path(manifest), tarball)
    others.set(`/${name}`, (url) => ({
      name,
      'dist-tags': { latest: own.at(-1).manifest.version },
      versions: Object.fromEntries(
        own.map(({ manifest }) => [
          manifest.version,
          { ...manifest, dist: { tarball: url + path(manifest).slice(1) } },
        ]),
      ),
    }))
  }
  registry = await startRegistry(process.env.STRONGROOM_PACKED, others)
  mkdirSync(cwd)
  writeFileSync(
    join(cwd, '.npmrc'),
    `registry=${registry.url}\ncache=${join(folder, 'cache')}\naudit=false\nfund=false\n`,
  )
  const dependencies = { 'better-sqlite3': '13.0.0', [CLIENT]: '1.0.0' }
  writeFileSync(join(cwd, 'package.json'), JSON.stringify({ name: 'project', private: true, dependencies }))
  await run('npm', ['install'], { cwd })
})
after(() => {
  registry?.close()
  rmSync(folder, { recursive: true, force: true })
})

const nested = join(cwd, 'node_modules', CLIENT, 'node_modules/better-sqlite3')

// A client that uses the nested copy ignores the option `passphrase`, and writes an unencrypted file.
test('the alias and the override leave a nested copy, and `npm ls` names it', async () => {
  const text = readFileSync(new URL('../../../docs/clients.md', import.meta.url), 'utf8')
  const [, command] = /`(npm pkg set [^`]*)`/.exec(text)
  await run('sh', ['-c', command], { cwd })
  await run('npm', ['install'], { cwd })
  assert.ok(existsSync(nested), 'npm no longer keeps the copy: docs/clients.md can say so')
  await assert.rejects(run('npm', ['ls', 'better-sqlite3'], { cwd }), /better-sqlite3@12\.0\.0 invalid/)
})

test('npm installs no nested copy without the lock file', async () => {
  copyFileSync(source('managers', 'npm/again.sh'), join(cwd, 'again.sh'))
  const output = await run('sh', ['again.sh'], { cwd })
  assert.ok(!existsSync(nested))
  assert.match(output, /better-sqlite3@npm:strongroom@0\.1\.0/)
  assert.doesNotMatch(output, /invalid/)
})
