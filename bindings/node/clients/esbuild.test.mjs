// Tests bundles of esbuild. test/tree/bundlers.test.mjs tests the effect of each option.
import assert from 'node:assert/strict'
import { readdirSync, rmSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { Deployment } from './deployment.mjs'
import { Project, run } from './project.mjs'

let project
before(async () => {
  project = await Project.install('esbuild')
})
after(() => project?.remove())

for (const [script, bundle] of [
  ['build', 'notes.cjs'],
  ['build:esm', 'notes.mjs'],
]) {
  test(`a bundle and its addon run in an empty folder: ${script}`, async (context) => {
    await run('npm', ['run', script], { cwd: project.folder })
    const deployment = new Deployment(project, 'out')
    context.after(() => deployment.remove())
    const written = readdirSync(deployment.path('out')).sort()
    assert.match(written.join(), new RegExp(`^bindings_node\\.[\\w-]+\\.node,${bundle}$`))
    assert.match(await deployment.node(`out/${bundle}`), /buy milk/)
    deployment.assertStored()
    rmSync(project.path('out'), { recursive: true })
  })
}

test('a bundle without the package runs where the package is installed', async (context) => {
  await run('npm', ['run', 'build:external'], { cwd: project.folder })
  const deployment = new Deployment(project, 'out', 'package.json', 'package-lock.json')
  context.after(() => deployment.remove())
  await deployment.install()
  assert.match(await deployment.node('out/notes.cjs'), /buy milk/)
  deployment.assertStored()
})
