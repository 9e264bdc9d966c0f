// Tests an app with the layout of electron-builder and electron-packager. Empty files replace Electron's binary. The
// app's code runs in plain Node, where asar-node reads the archive as Electron does. The tests cover neither Electron's
// own archive reader nor the addon in Electron's process.
import assert from 'node:assert/strict'
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { packageOf, targets } from '../scripts/targets.mjs'
import { Deployment } from './deployment.mjs'
import { Project } from './project.mjs'

const UNPACKED = 'resources/app.asar.unpacked'
const ADDON = 'node_modules/@strongroom/*/*.node'

let project
let addon
before(async () => {
  project = await Project.install('electron')
  addon = globSync(ADDON, { cwd: project.folder })[0]
  mkdirSync(project.path('stand-in'))
  for (const name of ['electron', 'LICENSE', 'version']) writeFileSync(project.path('stand-in', name), '')
})
after(() => project?.remove())

/** Builds the app's folder, and copies it out of the project. */
async function build(context, ...options) {
  const output = await project.command('electron-builder', ['--dir', '-c.electronDist=stand-in', ...options])
  assert.doesNotMatch(output, /node-gyp|preparing/)
  return deploy(context, 'dist/linux-unpacked')
}

function deploy(context, folder) {
  const deployment = new Deployment(project, folder, 'node_modules/asar-node/dist/autorun-register.js')
  context.after(() => deployment.remove())
  return deployment
}

/** Stores a note with the code in the archive. Returns the addons of the process. */
async function storeNote(deployment) {
  const program = `
    const { openNotes } = require('./linux-unpacked/resources/app.asar/notes.js')
    const db = openNotes('notes.db')
    db.prepare('INSERT INTO note VALUES (?)').run('buy milk')
    db.close()
    const loaded = process.report.getReport().sharedObjects
    console.log(JSON.stringify(loaded.filter((file) => file.endsWith('.node'))))`
  const output = await deployment.node('--no-warnings', '--require', './autorun-register.js', '--eval', program)
  deployment.assertStored()
  return JSON.parse(output)
}

const filesUnpacked = (deployment) =>
  globSync('**/*', { cwd: deployment.path('linux-unpacked', UNPACKED), withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)

async function assertWorks(deployment) {
  const file = deployment.path('linux-unpacked', UNPACKED, addon)
  assert.deepEqual(readFileSync(file), readFileSync(project.path(addon)))
  // Electron would load the same file.
  assert.equal(typeof createRequire(import.meta.url)(file).NativeDatabase, 'function')
  assert.deepEqual(await storeNote(deployment), [file])
}

test('electron-builder unpacks the addon by default, and an app without the unpacked file fails', async (context) => {
  const deployment = await build(context)
  await assertWorks(deployment)
  rmSync(deployment.path('linux-unpacked', UNPACKED), { recursive: true })
  await assert.rejects(
    storeNote(deployment),
    /could not load its addon.*Keep the addon out of the archive: asarUnpack/s,
  )
})

test('electron-builder unpacks only the addon of each installed platform', async (context) => {
  installOther(context, 'darwin', 'arm64')
  const deployment = await build(context, '-c.asar.smartUnpack=false', '-c.asarUnpack=**/*.node')
  assert.deepEqual(filesUnpacked(deployment).sort(), ['bindings_node.darwin-arm64.node', basename(addon)])
  await assertWorks(deployment)
})

/**
 * Puts another platform's package where npm installs it, and lists it in optionalDependencies as the published package
 * does.
 */
function installOther(context, os, cpu) {
  const target = targets().find((target) => target.os === os && target.cpu === cpu)
  const name = packageOf(target)
  const home = project.path('node_modules', name)
  mkdirSync(home)
  const file = `bindings_node.${target.platform}.node`
  cpSync(project.path(addon), join(home, file))
  writeFileSync(
    join(home, 'package.json'),
    JSON.stringify({ name, version: '0.1.0', main: file, os: [os], cpu: [cpu] }),
  )
  const path = project.path('node_modules/strongroom/package.json')
  const before = readFileSync(path, 'utf8')
  const manifest = JSON.parse(before)
  manifest.optionalDependencies[name] = '0.1.0'
  writeFileSync(path, JSON.stringify(manifest))
  context.after(() => {
    rmSync(home, { recursive: true })
    writeFileSync(path, before)
  })
}

test('electron-packager and Forge unpack only the addon', async (context) => {
  const require = createRequire(project.path('package.json'))
  const { createPackageWithOptions } = require('@electron/asar')
  const app = project.path('packaged/app')
  for (const file of ['package.json', 'main.js', 'notes.js', 'node_modules/strongroom', dirname(addon)])
    cpSync(project.path(file), join(app, file), { recursive: true })
  // electron-packager calls this function with the same options.
  const { asar } = require('./forge.config.js').packagerConfig
  await createPackageWithOptions(app, project.path('packaged/linux-unpacked/resources/app.asar'), asar)
  const deployment = deploy(context, 'packaged/linux-unpacked')
  assert.equal(filesUnpacked(deployment).length, 1)
  await assertWorks(deployment)
})

test('no step of electron-builder or @electron/rebuild changes the package', async () => {
  const before = contents()
  await project.command('install-app-deps', [])
  await project.command('electron-rebuild', ['--force', '--version', '45.5.0'])
  assert.deepEqual(contents(), before)
})

/** Returns the bytes of each file of Strongroom's packages. */
function contents() {
  const entries = globSync('node_modules/{strongroom,@strongroom}/**/*', { cwd: project.folder, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => [join(entry.parentPath, entry.name), readFileSync(join(entry.parentPath, entry.name), 'base64')])
}
