import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const read = (name) => readFileSync(new URL(name, import.meta.url), 'utf8')
const readme = read('../../README.md')

const example = (text) => /```js\n(.*?)```/s.exec(text)[1]

test('the example in the README runs', () => {
  const script = example(readme).replace("'strongroom'", `'${import.meta.resolve('strongroom')}'`)
  const cwd = mkdtempSync(join(tmpdir(), 'strongroom-readme-'))
  try {
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd,
      encoding: 'utf8',
    })
    const said = /console\.log\(.*\) \/\/ (.*)/.exec(script)[1]
    assert.deepEqual({ stdout: stdout.replaceAll(/\s+/g, ' ').trim(), stderr }, { stdout: said, stderr: '' })
  } finally {
    rmSync(cwd, { recursive: true })
  }
})

test("the repository's README has the same example", () => {
  assert.equal(example(readme), example(read('../../../../README.md')))
})

// A fixed bug: the README said that all platforms but one would follow later, although the package had all of them.
test("the README's table of platforms agrees with targets.json", () => {
  const { targets } = JSON.parse(read('../../../../targets.json'))
  const oldest = ({ os, libc, floor }) => {
    if (os === 'win32') return 'Windows 10'
    return [os === 'darwin' ? 'macOS' : libc, floor].filter(Boolean).join(' ')
  }
  const rows = [...readme.matchAll(/^\| `(\w+-\w+(?:-\w+)?)` +\| (.*?) +\|$/gm)].map(([, ...row]) => row)
  assert.deepEqual(
    rows,
    targets.map((target) => [target.platform, oldest(target)]),
  )
})

test("the README and the repository's README agree on the platforms where the addon was loaded", () => {
  const texts = [readme, read('../../../../README.md')].map((text) => text.replaceAll(/\s+/g, ' '))
  for (const said of ['not been loaded on a Mac yet', 'built with mingw', "Windows' own Node under Wine"])
    assert.deepEqual(
      texts.map((text) => text.includes(said)),
      texts.map(() => texts[1].includes(said)),
      said,
    )
})

test('the README compares the versions that the benchmark installs', () => {
  const root = read('../../../../README.md')
  const { dependencies } = JSON.parse(read('../../bench/package.json'))
  const { version } = JSON.parse(read('../../package.json'))
  for (const [name, pinned] of Object.entries({ strongroom: version, ...dependencies }))
    assert.ok(root.includes(`| ${name} ${pinned} |`), `${name} ${pinned}`)
})

test('the README has the number of surveyed packages, and names only ORMs that the suite clients tests', () => {
  const root = read('../../../../README.md')
  const packages = JSON.parse(read('../../../../crates/node-audit/survey/packages.json'))
  assert.ok(root.includes(` ${packages.length} published packages`), `${packages.length}`)
  const [, orms] = /^\| ORMs in its own tests \| (.*?) \|/m.exec(root)
  const folders = readdirSync(new URL('../../clients', import.meta.url))
  for (const orm of orms.toLowerCase().split(', '))
    assert.ok(
      folders.some((folder) => folder.replaceAll('-', '').startsWith(orm)),
      orm,
    )
})
