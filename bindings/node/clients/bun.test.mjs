// Executables of Bun.
import assert from 'node:assert/strict'
import { globSync, linkSync, rmSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { Deployment } from './deployment.mjs'
import { Project, run } from './project.mjs'

let project
before(async () => {
  project = await Project.install('bun')
  // Bun's install script does the same.
  const [program] = globSync('node_modules/@oven/*/bin/bun', { cwd: project.folder })
  rmSync(project.path('node_modules/bun/bin/bun.exe'))
  linkSync(project.path(program), project.path('node_modules/bun/bin/bun.exe'))
})
after(() => project?.remove())

test('an executable has the addon inside', async (context) => {
  await run('npm', ['run', 'build'], { cwd: project.folder })
  const deployment = new Deployment(project, 'out/notes')
  context.after(() => deployment.remove())
  assert.match(await deployment.run(deployment.path('notes')), /buy milk/)
  deployment.assertStored()
  // Bun keeps the addon there for the next start.
  const left = [...deployment.left()]
  assert.equal(left.length, 1)
  assert.match(left[0][0], /\.node$/)
  assert.equal(left[0][1], 0o600)
})
