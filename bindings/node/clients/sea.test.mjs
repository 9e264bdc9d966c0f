// Tests single executables of Node.
import assert from 'node:assert/strict'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { Deployment } from './deployment.mjs'
import { Project } from './project.mjs'

let project
before(async () => {
  project = await Project.install('sea')
  // The configuration names the addon of one platform, as a user's configuration does.
  const [addon] = globSync('node_modules/@strongroom/*/*.node', { cwd: project.folder })
  const config = readFileSync(project.path('inside.json'), 'utf8')
  writeFileSync(project.path('inside.json'), config.replace(/node_modules[^"]*/, addon))
  await project.node(['build.js', 'beside', 'inside'])
})
after(() => project?.remove())

test('an executable runs with the addon beside it', async (context) => {
  const [addon] = globSync('node_modules/@strongroom/*/*.node', { cwd: project.folder })
  const alone = new Deployment(project, 'out/beside')
  context.after(() => alone.remove())
  await assert.rejects(alone.run(alone.path('beside')), /could not load its addon/)
  const deployment = new Deployment(project, 'out/beside', addon)
  context.after(() => deployment.remove())
  assert.match(await deployment.run(deployment.path('beside')), /buy milk/)
  deployment.assertStored()
})

test('an executable with the addon inside leaves no file behind', async (context) => {
  const deployment = new Deployment(project, 'out/inside')
  context.after(() => deployment.remove())
  assert.match(await deployment.run(deployment.path('inside')), /buy milk/)
  deployment.assertStored()
  assert.deepEqual(deployment.left(), new Map())
})
