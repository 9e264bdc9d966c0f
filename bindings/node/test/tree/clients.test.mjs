// Checks that the projects of the suite `clients` pin their packages, and that each project has a test.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const clients = new URL('../../clients/', import.meta.url)
const projects = readdirSync(clients).filter((name) => existsSync(new URL(`${name}/package.json`, clients)))
const read = (file) => JSON.parse(readFileSync(new URL(file, clients), 'utf8'))
const isOwn = (name) => /^(strongroom|@strongroom\/[\w-]+)$/.test(name)

test('the suite clients has several projects', () => assert.ok(projects.length > 1))

for (const project of projects) {
  test(`${project} has a program, or a test of the same name`, () => {
    const files = [`${project}/program.ts`, `${project}.test.mjs`]
    assert.ok(files.some((file) => existsSync(new URL(file, clients))))
  })

  test(`${project} pins exact versions`, () => {
    const { dependencies, devDependencies } = read(`${project}/package.json`)
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
      assert.match(version, /^(npm:@?[\w./-]+@)?\d+\.\d+\.\d+|^(npm:strongroom@)?\^\d+\.\d+\.\d+$/, name)
  })

  test(`the lock file of ${project} has hashes, and names no registry`, () => {
    for (const [path, entry] of Object.entries(read(`${project}/package-lock.json`).packages)) {
      if (!path) continue
      const name = entry.name ?? path.replace(/^.*node_modules\//, '')
      assert.equal(entry.resolved, undefined, path)
      assert.equal(typeof entry.integrity, isOwn(name) ? 'undefined' : 'string', path)
    }
  })
}
