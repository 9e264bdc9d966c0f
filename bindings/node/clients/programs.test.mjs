// Tests each project that has a `program.ts`, which uses a client with Strongroom instead of better-sqlite3.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, describe, test } from 'node:test'
import { PASSPHRASE, Project, projects, source } from './project.mjs'

const clients = projects().filter((name) => existsSync(source(name, 'program.ts')))
const preload = new URL('preload.mjs', import.meta.url).href
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
const COMPILE = ['--noEmit', '--strict', '--skipLibCheck', '--allowImportingTsExtensions', '--erasableSyntaxOnly']
COMPILE.push('--module', 'nodenext', '--target', 'es2023', '--types', 'node', '--ignoreConfig')

for (const name of clients) {
  describe(name, () => {
    let project
    after(() => project?.remove())
    test('installs from its lock file', async () => {
      project = await Project.install(name)
    })
    test('compiles', () => project.node([tsc, ...COMPILE, 'plain.ts', 'encrypted.ts', 'program.ts']))
    for (const kind of ['plain', 'encrypted']) {
      test(`runs: ${kind}`, async () => {
        const env = { NOTES_PASSPHRASE: PASSPHRASE }
        await project.node(['--import', preload, 'program.ts', kind], { env })
        project.assertStored(`${kind}.db`, 'buy milk', { encrypted: kind === 'encrypted' })
      })
    }
  })
}
