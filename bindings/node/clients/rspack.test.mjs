// Tests bundles of rspack and webpack, which use the same configurations.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { Deployment } from './deployment.mjs'
import { Project } from './project.mjs'

let project
before(async () => {
  project = await Project.install('rspack')
})
after(() => project?.remove())

/** Bundles with a configuration. Returns a deployment of the bundle outside the project. */
async function build(context, tool, config, ...files) {
  rmSync(project.path('dist'), { recursive: true, force: true })
  const output = await project.command(tool, ['build', '--mode', 'production', '--config', config])
  assert.doesNotMatch(output, /warning/i)
  const deployment = new Deployment(project, 'dist', ...files)
  context.after(() => deployment.remove())
  return deployment
}

for (const tool of ['rspack', 'webpack']) {
  describe(tool, () => {
    test('a bundle without the package runs where the package is installed', async (context) => {
      const deployment = await build(context, tool, 'rspack.config.js', 'package.json', 'package-lock.json')
      await assert.rejects(deployment.node('dist/notes.cjs'), /Cannot find module 'strongroom'/)
      await deployment.install()
      assert.match(await deployment.node('dist/notes.cjs'), /buy milk/)
      deployment.assertStored()
    })

    test('a bundle and its addon run in an empty folder', async (context) => {
      const deployment = await build(context, tool, 'addon.config.js')
      assert.match(await deployment.node('dist/notes.cjs'), /buy milk/)
      deployment.assertStored()
    })
  })
}
