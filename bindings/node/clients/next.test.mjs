// Tests Next.js: builds an app with each bundler. The app stores a note through a route handler, and shows the note.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { PASSPHRASE, Project } from './project.mjs'
import { Server } from './server.mjs'

/** The flags of each bundler, and its error for an app without `serverExternalPackages`. */
const BUNDLERS = {
  turbopack: { flags: [], error: /non-ecmascript placeable asset\n\S+@strongroom\/\S+\.node \(node addon\) is not/ },
  webpack: { flags: ['--webpack'], error: /@strongroom\/\S+\.node\nModule parse failed: Unexpected character/ },
}

describe('next', () => {
  let project
  after(() => project?.remove())
  test('installs from its lock file', async () => {
    project = await Project.install('next')
    mkdirSync(project.path('bare'))
    for (const folder of ['app', 'lib']) cpSync(project.path(folder), project.path('bare', folder), { recursive: true })
    writeFileSync(project.path('bare/next.config.mjs'), 'export default { distDir: process.env.NEXT_FOLDER }\n')
  })

  describe('builds', { concurrency: 4 }, () => {
    for (const [name, { flags, error }] of Object.entries(BUNDLERS)) {
      const NEXT_FOLDER = `.next-${name}`

      test(`runs: ${name}`, async () => {
        // `output` adds a folder to the build. `next start` needs a configuration without `output`.
        const output = name === 'turbopack' && { NEXT_OUTPUT: 'standalone' }
        await next(['build', ...flags], { env: { NEXT_FOLDER, ...output } })
        const env = { NEXT_FOLDER, NOTES_FILE: project.path(`${name}.db`) }
        await assertServes([project.path(NEXT), 'start', '-H', '127.0.0.1'], { cwd: project.folder, env })
        project.assertStored(`${name}.db`, 'buy milk', { encrypted: true })
      })

      test(`does not build without serverExternalPackages: ${name}`, () =>
        assert.rejects(next(['build', ...flags], { cwd: project.path('bare'), env: { NEXT_FOLDER } }), error))
    }
  })

  test('runs from a standalone folder outside the project', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'strongroom-client-next-standalone-'))
    renameSync(project.path('.next-turbopack/standalone'), join(elsewhere, 'app'))
    // Without node_modules, the server must load its copy of the addon.
    renameSync(project.path('node_modules'), project.path('away'))
    try {
      const env = { NOTES_FILE: project.path('standalone.db') }
      await assertServes(['server.js'], { cwd: join(elsewhere, 'app'), env })
    } finally {
      renameSync(project.path('away'), project.path('node_modules'))
      rmSync(elsewhere, { recursive: true })
    }
    project.assertStored('standalone.db', 'buy milk', { encrypted: true })
  })

  const NEXT = 'node_modules/next/dist/bin/next'
  const TELEMETRY = { NEXT_TELEMETRY_DISABLED: '1' }

  function next(args, { env, ...options }) {
    return project.node([project.path(NEXT), ...args], { env: { ...TELEMETRY, ...env }, ...options })
  }

  /** Asserts that a server stores a note, and that its page shows the note. */
  async function assertServes(args, { cwd, env }) {
    const server = await Server.start(args, { cwd, env: { ...TELEMETRY, NOTES_PASSPHRASE: PASSPHRASE, ...env } })
    try {
      assert.equal(await server.fetch('/notes', { title: 'buy milk' }), '{"id":1}')
      assert.match(await server.fetch('/'), /<li>buy milk<\/li>/)
      assert.doesNotMatch(server.output, /does not work/)
    } finally {
      await server.stop()
    }
  }
})
