// Bundles a program that uses the package, and runs the bundle in a folder without node_modules.
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { rspack } from '@rspack/core'
import { build } from 'esbuild'
import { addon, bareCopy, platform, putLocal, putPackage, report, run } from '../loading.mjs'
import { folder } from '../temporary.mjs'

/** Creates a project with the package installed, and its addon in the platform's package or beside its code. */
function makeProject({ local = false } = {}) {
  const project = mkdtempSync(join(folder, 'project-'))
  cpSync(bareCopy(), join(project, 'node_modules/strongroom'), { recursive: true })
  if (local) putLocal(join(project, 'node_modules/strongroom'))
  else putPackage(project)
  writeFileSync(join(project, 'main.cjs'), report("require('strongroom')"))
  writeFileSync(join(project, 'main.mjs'), `import Installed from 'strongroom'\n${report('Installed')}`)
  return project
}

/** Bundles with esbuild. Returns the bundle's folder in the project. */
async function esbuild(project, options) {
  await build({
    absWorkingDir: project,
    entryPoints: ['main.cjs'],
    bundle: true,
    platform: 'node',
    outdir: 'out',
    logLevel: 'silent',
    ...options,
  })
  return join(project, 'out')
}

/** Bundles with rspack, whose configuration is webpack's. Returns the bundle's folder in the project. */
async function bundleWithRspack(project, options) {
  const output = { path: join(project, 'out'), filename: 'main.js' }
  const stats = await promisify(rspack)({
    context: project,
    entry: './main.cjs',
    target: 'node',
    mode: 'production',
    output,
    ...options,
  })
  const { errors } = stats.toJson({ all: false, errors: true })
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'))
  return output.path
}

/** Moves a bundle out of its project. */
function apart(out) {
  const place = join(mkdtempSync(join(folder, 'deployed-')), 'out')
  renameSync(out, place)
  return place
}

const start = (out, name = 'main.js') => run(process.execPath, [join(out, name)], {})

const PLATFORM_PACKAGES = /^@strongroom\//
const external = ({ request }, done) => (PLATFORM_PACKAGES.test(request) ? done(null, `commonjs ${request}`) : done())

function assertLeftOut({ message, code }) {
  assert.equal(code, 'STRONGROOM_ADDON')
  assert.match(
    message,
    new RegExp(`- \\./bindings_node\\.${platform}\\.node: Cannot find module '.*bindings_node\\.${platform}\\.node'\n`),
  )
  assert.match(message, new RegExp(`@strongroom/${platform}: Cannot find module`))
  assert.match(message, /\nA bundler put strongroom into its bundle.*--external:strongroom.*externals: /)
}

test('esbuild copies the addon of the platform package', async () => {
  const out = apart(await esbuild(makeProject(), { loader: { '.node': 'copy' } }))
  const copied = readdirSync(out).filter((name) => name.endsWith('.node'))
  assert.equal(copied.length, 1)
  assert.deepEqual(start(out), { value: 42 })
  rmSync(join(out, copied[0]))
  const { message, code } = start(out)
  assert.equal(code, 'STRONGROOM_ADDON')
  assert.match(message, new RegExp(`Cannot find module '\\./${copied[0]}'\\nA bundler put `))
})

test('esbuild copies an addon beside the code', async () => {
  const out = apart(await esbuild(makeProject({ local: true }), { loader: { '.node': 'copy' } }))
  assert.deepEqual(start(out), { value: 42 })
})

test('esbuild bundles the package into an ES module that defines require', async () => {
  const require = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)"
  const options = { loader: { '.node': 'copy' }, entryPoints: ['main.mjs'], format: 'esm' }
  const shaped = { banner: { js: require }, outExtension: { '.js': '.mjs' } }
  const out = apart(await esbuild(makeProject(), { ...options, ...shaped }))
  assert.deepEqual(start(out, 'main.mjs'), { value: 42 })
})

/** Writes a program that uses the asynchronous class, with the modules that the class loads at their first use. */
function writeAsyncProgram(project) {
  const program = (load) => `
    ${load}
    async function main() {
      const db = await open(':memory:', { readers: 1 })
      await db.backup('copy.db')
      const { ok } = await db.check()
      const rows = []
      for await (const { x } of db.iterate('SELECT 42 AS x')) rows.push(x)
      await db.close()
      console.log(JSON.stringify({ value: ok && rows[0] }))
    }
    main()`
  writeFileSync(join(project, 'main.cjs'), program("const { open } = require('strongroom/async')"))
  writeFileSync(join(project, 'main.mjs'), program("import { open } from 'strongroom/async'"))
}

test('esbuild and rspack bundle the asynchronous class', async () => {
  const project = makeProject()
  writeAsyncProgram(project)
  const inFolder = (out) => run(process.execPath, [join(out, 'main.js')], { cwd: out })
  for (const entry of ['main.cjs', 'main.mjs']) {
    const out = await esbuild(project, { entryPoints: [entry], external: ['@strongroom/*'] })
    assert.deepEqual(inFolder(out), { value: 42 }, entry)
    const packed = await bundleWithRspack(project, { entry: `./${entry}`, externals: [external] })
    assert.deepEqual(inFolder(packed), { value: 42 }, entry)
  }
})

test('esbuild can leave the package out of the bundle', async () => {
  const out = await esbuild(makeProject(), { external: ['strongroom'] })
  assert.deepEqual(start(out), { value: 42 })
})

test('esbuild can leave the addon out, which must then be installed or copied where the bundle runs', async () => {
  const out = await esbuild(makeProject(), { external: ['@strongroom/*'] })
  assert.deepEqual(start(out), { value: 42 })
  const deployed = apart(out)
  assertLeftOut(start(deployed))
  cpSync(addon, join(deployed, basename(addon)))
  assert.deepEqual(start(deployed), { value: 42 })
})

// A fixed bug: the loader mistook such a bundle for the package's own file because of its name, and the error blamed
// optional dependencies.
test("the loader recognises a bundle that has the name of one of the package's files", async () => {
  const project = makeProject()
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'program', version: '1.0.0' }))
  const out = await esbuild(project, { external: ['@strongroom/*'], entryNames: 'load/installation' })
  rmSync(join(project, 'node_modules/@strongroom'), { recursive: true })
  assertLeftOut(start(out, 'load/installation.js'))
  assertLeftOut(start(apart(out), 'load/installation.js'))
})

test('esbuild without options fails with its own error', async () => {
  await assert.rejects(esbuild(makeProject(), {}), /No loader is configured for "\.node" files/)
})

test('rspack can leave the package out of the bundle', async () => {
  const out = await bundleWithRspack(makeProject(), { externals: { strongroom: 'commonjs strongroom' } })
  assert.deepEqual(start(out), { value: 42 })
})

for (const mode of ['production', 'development']) {
  test(`rspack can leave the addon out, which must then be installed where the bundle runs: ${mode}`, async () => {
    const out = await bundleWithRspack(makeProject(), { mode, externals: [external] })
    assert.deepEqual(start(out), { value: 42 })
    assertLeftOut(start(apart(out)))
  })
}

test('rspack without options fails with its own error', async () => {
  await assert.rejects(bundleWithRspack(makeProject(), {}), /Module parse failed/)
})
