import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isAtLeast } from '../install.mjs'
import { configurations } from '../peers/index.mjs'

const bench = fileURLToPath(new URL('../bench.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'strongroom-bench-test-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const run = (...args) => spawnSync(process.execPath, [bench, ...args], { encoding: 'utf8' })

// The test needs no installed package: Strongroom is in dist, and node:sqlite is part of Node.
test('every workload runs, at a thousandth of its size', () => {
  const { needs } = configurations([]).find(({ name }) => name === 'node:sqlite')
  const builtIn = isAtLeast(process.versions.node, needs)
  const json = join(folder, 'results.json')
  const { status, stdout, stderr } = run(
    ...['--no-build', '--no-share', '--node', process.execPath, '--scale', '0.001', '--rounds', '1'],
    ...['--peers', builtIn ? '^node:sqlite$' : '^$', '--json', json, '--svg', join(folder, 'plots')],
  )
  assert.equal(status, 0, stderr)
  assert.match(stdout, /^Without encryption$/m)
  assert.match(stdout, /^Encrypted$/m)
  assert.match(stdout, /^The cost of encryption$/m)
  assert.match(stdout, /^Targets of the Strongroom format$/m)
  const { configurations: described, rows, failures, samples } = JSON.parse(readFileSync(json, 'utf8'))
  assert.deepEqual(
    described.map(({ name }) => name),
    ['strongroom', 'strongroom/sqlcipher', 'strongroom/strongroom', ...(builtIn ? ['node:sqlite'] : [])],
  )
  assert.deepEqual(failures, [])
  const listed = run('--list')
    .stdout.split('configurations')[0]
    .match(/^ {2}\S+/gm)
    .map((name) => name.trim())
  assert.deepEqual([...new Set(rows.map(({ workload }) => workload.name))].sort(), listed.sort())
  assert.ok(samples.every(({ cpu, memory }) => (cpu ?? memory) >= 0))
  for (const name of ['plain', 'encrypted', 'cost'])
    assert.match(readFileSync(join(folder, `plots/${name}.svg`), 'utf8'), /<\/svg>/)
})

test('an invalid argument ends the program with a one-line message', () => {
  const ends = (args, message) => {
    const { status, stdout, stderr } = run('--no-build', ...args)
    assert.deepEqual({ status, stdout, stderr }, { status: 2, stdout: '', stderr: `${message}\n` })
  }
  ends(['--rounds', 'x'], '--rounds must be a whole number above 0, not "x"')
  ends(['--filter', '^no-such$'], 'no workload matches --filter ^no-such$; --list shows the names')
  ends(
    ['--strongroom', `empty=${folder}`],
    `${folder} has no dist/index.js: build Strongroom there (npm run build:release), or leave out --no-build`,
  )
  // No table has a column for `multiple-ciphers`.
  for (const name of ['nothing', 'multiple-ciphers']) {
    const { stderr } = run('--base', name)
    assert.match(stderr, new RegExp(`^--base: unknown configuration "${name}"; known: strongroom, .*node:sqlite`))
  }
})

test('--help and --list measure nothing', () => {
  assert.match(run('--help').stdout, /^Compares the speed of Strongroom/)
  assert.match(run('--list').stdout, /^ {2}get-1-integer +get: a constant$/m)
})
