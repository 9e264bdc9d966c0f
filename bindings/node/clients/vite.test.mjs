// Tests Vite: builds a server for server-side rendering. The server stores a note and shows it.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { after, describe, test } from 'node:test'
import { PASSPHRASE, Project } from './project.mjs'
import { Server } from './server.mjs'

describe('vite', () => {
  let project
  after(() => project?.remove())
  const build = (config, folder) =>
    project.command('vite', ['build', '--ssr', 'server.js', '--config', config, '--outDir', folder])

  test('installs from its lock file', async () => {
    project = await Project.install('vite')
    writeFileSync(project.path('default.config.js'), 'export default {}\n')
    writeFileSync(project.path('no-external.config.js'), 'export default { ssr: { noExternal: true } }\n')
  })

  for (const [title, config] of [
    ['the defaults', 'default.config.js'],
    ['noExternal', 'vite.config.js'],
  ])
    test(`builds and runs: ${title}`, async () => {
      const file = `${config}.db`
      await build(config, `${config}.out`)
      const env = { NOTES_FILE: file, NOTES_PASSPHRASE: PASSPHRASE }
      const server = await Server.start([`${config}.out/server.js`], { cwd: project.folder, env })
      try {
        await server.fetch('/notes', { title: 'buy milk' })
        assert.equal(await server.fetch('/'), '<ul><li>buy milk</li></ul>')
      } finally {
        await server.stop()
      }
      project.assertStored(file, 'buy milk', { encrypted: true })
    })

  test('fails to build with noExternal alone', () =>
    assert.rejects(
      build('no-external.config.js', 'none'),
      /Could not load node_modules\/@strongroom\/\S+\.node.*stream did not contain valid UTF-8/s,
    ))
})
