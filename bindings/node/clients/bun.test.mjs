// Tests executables that Bun compiles.
import assert from 'node:assert/strict'
import { cpSync, globSync, linkSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import { Deployment } from './deployment.mjs'
import { PASSPHRASE, Project, run } from './project.mjs'

let project
before(async () => {
  project = await Project.install('bun')
  // Bun's install script creates the same link.
  const [program] = globSync('node_modules/@oven/*/bin/bun', { cwd: project.folder })
  rmSync(project.path('node_modules/bun/bin/bun.exe'))
  linkSync(project.path(program), project.path('node_modules/bun/bin/bun.exe'))
})
after(() => project?.remove())

test('an executable contains the addon', async (context) => {
  await run('npm', ['run', 'build'], { cwd: project.folder })
  const deployment = new Deployment(project, 'out/notes')
  context.after(() => deployment.remove())
  assert.match(await deployment.run(deployment.path('notes')), /buy milk/)
  deployment.assertStored()
  // Bun leaves the addon in the temporary folder for the next start.
  const left = [...deployment.left()]
  assert.equal(left.length, 1)
  assert.match(left[0][0], /\.node$/)
  assert.equal(left[0][1], 0o600)
})

// A fixed bug: Bun writes the paths of the build machine into the executable, and the loader first looked for a library
// at those paths, where another user could have put a library.
test('an executable loads no library from the place where it was built', async (context) => {
  await run('npm', ['run', 'build'], { cwd: project.folder })
  const deployment = new Deployment(project, 'out/notes')
  context.after(() => deployment.remove())
  const home = 'node_modules/strongroom/dist/load'
  assert.ok(readFileSync(deployment.path('notes')).includes(join(project.folder, home)), 'Bun no longer writes paths')
  const [addon] = globSync('node_modules/@strongroom/*/*.node', { cwd: project.folder })
  const trap = project.path('trap.node')
  cpSync(project.path(addon), trap)
  rmSync(project.path('node_modules'), { recursive: true })
  cpSync(trap, project.path(home, basename(addon)))
  const env = { NOTES_PASSPHRASE: PASSPHRASE, TMPDIR: deployment.path('temporary') }
  assert.match(await run(deployment.path('notes'), [], { cwd: deployment.folder, env }), /buy milk/)
  assert.equal(deployment.left().size, 1, 'the addon came from the executable')
})
