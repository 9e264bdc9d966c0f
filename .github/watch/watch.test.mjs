// Tests the functions that parse and render. The workflow as a whole is tested in crates/release/xtask/tests/it/watch.rs.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fromCargoDeny, fromNpmAudit } from './advisories.mjs'
import { isClean, MARKER, quoted, render } from './body.mjs'
import { Failure } from './command.mjs'
import { compare, compared, crates, LIBRARIES, locked, released } from './libraries.mjs'

const [openssl, sqlcipher, sqlite, zstd] = LIBRARIES
const entry = (name, version) => `[[package]]\nname = "${name}"\nversion = "${version}"\nsource = "x"\n`
const lock =
  entry('openssl-src', '300.5.5+3.5.5') +
  entry('sqlcipher-src', '420.0.0+sqlcipher-4.20.0-sqlite-3.54.1-libtomcrypt-1.18.2') +
  entry('zstd-sys', '2.1.3+zstd.1.5.7')
const line = (name, vers, yanked = false) => `${JSON.stringify({ name, vers, yanked })}\n`
const pages = (...tags) => [tags.map((tag) => ({ tag_name: tag }))]

test('versions are compared by number', () => {
  const sorted = ['3.9.0', '3.8.11.1', '3.54.1', '3.8.11', '10.0.0', '3.54.1']
  assert.deepEqual(sorted.sort(compare), ['3.8.11', '3.8.11.1', '3.9.0', '3.54.1', '3.54.1', '10.0.0'])
})

test('the vendored versions come from Cargo.lock', () => {
  assert.deepEqual(
    LIBRARIES.map((library) => locked(library, lock)),
    ['3.5.5', '4.20.0', '3.54.1', '1.5.7'],
  )
  const real = readFileSync(new URL('../../Cargo.lock', import.meta.url), 'utf8')
  for (const library of LIBRARIES) assert.match(locked(library, real), /^\d+\.\d+\.\d+/)
})

test('a lock file without a version, with two, or with an unknown form of version is refused', () => {
  const unknown = entry('zstd-sys', '2.1.3')
  for (const text of [
    '',
    entry('zstd-safe', '1.0.0+zstd.1.5.7'),
    unknown,
    lock + entry('zstd-sys', '3.0.0+zstd.1.6.0'),
  ]) {
    assert.throws(() => locked(zstd, text), new Failure('Cargo.lock has no version of zstd-sys that names zstd'))
  }
})

test('only releases count', () => {
  const tags = ['openssl-3.5.6', 'openssl-3.5.10', 'openssl-4.0.0-beta1', 'OpenSSL_1_1_1w', 'openssl-3.5.5']
  const draft = [
    { tag_name: 'openssl-9.0.0', draft: true },
    { tag_name: 'openssl-9.0.1', prerelease: true },
  ]
  assert.deepEqual(released(openssl, [...pages(...tags), draft]), ['3.5.5', '3.5.6', '3.5.10'])
  const references = ['v4.9.0', 'v4.20.0', 'v4.20.0-rc', 'v3.0'].map((tag) => ({ ref: `refs/tags/${tag}` }))
  assert.deepEqual(released(sqlcipher, [references]), ['4.9.0', '4.20.0'])
})

test('a yanked crate does not count', () => {
  const text =
    line('zstd-sys', '2.0.16+zstd.1.5.7') + line('zstd-sys', '2.2.0+zstd.1.6.0', true) + line('zstd-sys', '1.0.0')
  assert.deepEqual(crates(zstd, text), [{ version: '2.0.16+zstd.1.5.7', library: '1.5.7' }])
})

test('OpenSSL is compared within its line', () => {
  const index = line('openssl-src', '300.5.5+3.5.5') + line('openssl-src', '300.6.0+3.6.0')
  const facts = { lock, pages: pages('openssl-3.5.5', 'openssl-4.0.3', 'openssl-3.6.9'), index }
  const { newest, newestOfAll, isOutdated, crateLibrary } = compared(openssl, facts)
  assert.deepEqual(
    { newest, newestOfAll, isOutdated, crateLibrary },
    {
      newest: '3.5.5',
      newestOfAll: '4.0.3',
      isOutdated: false,
      crateLibrary: '3.5.5',
    },
  )
  const text = render({ libraries: [compared(openssl, facts)], advisories: [] })
  assert.match(text, /OpenSSL's newest release is 4\.0\.3/)
})

test('an answer that lacks our own version is not a clean report', () => {
  const index = line('openssl-src', '300.5.5+3.5.5')
  const cases = [
    [[{ message: 'rate limit' }], index, /is not a list of tags/],
    [[[{ name: '3.5.5' }]], index, /is not a list of tags/],
    [[[null]], index, /is not a list of tags/],
    [[], index, /has no release of OpenSSL/],
    [[[]], index, /has no release of OpenSSL/],
    [pages('openssl-4.0.3'), index, /ends with no release of 3\.5, but Cargo\.lock has OpenSSL 3\.5\.5/],
    [pages('openssl-3.5.4'), index, /ends with 3\.5\.4, but Cargo\.lock has OpenSSL 3\.5\.5/],
    [pages('openssl-3.5.5'), line('openssl-src', '400.0.2+4.0.3'), /has no openssl-src that contains OpenSSL 3\.5/],
    [pages('openssl-3.5.5'), line('openssl-src', '300.5.5'), /has no openssl-src that names OpenSSL/],
    [pages('openssl-3.5.5'), line('openssl-sys', '300.5.5+3.5.5'), /has a line for openssl-src that cannot be read/],
    [pages('openssl-3.5.5'), '', /has no openssl-src that names OpenSSL/],
  ]
  for (const [answer, text, message] of cases) {
    assert.throws(() => compared(openssl, { lock, pages: answer, index: text }), message)
    assert.throws(() => compared(openssl, { lock, pages: answer, index: text }), Failure)
  }
})

test('an incomplete check of cargo-deny is refused', () => {
  const message = (type, fields) => `${JSON.stringify({ type, fields })}\n`
  const summary = message('summary', { advisories: { errors: 0, warnings: 0 } })
  const broken = { severity: 'warning', code: 'index-failure', message: 'failed to query the index' }
  const cases = [
    ['', /did not check everything: it printed nothing/],
    [message('log', { level: 'ERROR', message: 'no network\nmore' }), /did not check everything: no network$/],
    [message('diagnostic', broken) + summary, /did not check everything: failed to query the index/],
    ['null\n', /did not check everything/],
  ]
  for (const [stderr, expected] of cases) assert.throws(() => fromCargoDeny({ status: 0, stderr }), expected)
  assert.deepEqual(fromCargoDeny({ status: 0, stderr: summary }), [])
})

test('an update of SQLCipher brings its SQLite', () => {
  const index = line('sqlcipher-src', '421.0.0+sqlcipher-4.21.0-sqlite-3.55.0-libtomcrypt-1.18.2')
  const facts = { lock, pages: [[{ ref: 'refs/tags/version-3.55.0' }]], index }
  const { isOutdated, crateVersion, newestTag } = compared(sqlite, facts)
  assert.equal(isOutdated, true)
  assert.equal(newestTag, 'version-3.55.0')
  assert.match(crateVersion, /^421\.0\.0/)
})

test('warnings of cargo-deny count, and its notes do not', () => {
  const summary = { type: 'summary', fields: { advisories: { errors: 0, warnings: 1, notes: 1 } } }
  const yanked = {
    severity: 'warning',
    code: 'yanked',
    message: 'detected yanked crate',
    labels: [{ span: 'spin 0.9.4' }],
  }
  const lines = [yanked, { severity: 'note', code: 'x', message: 'y' }].map((fields) => ({
    type: 'diagnostic',
    fields,
  }))
  const found = fromCargoDeny({
    status: 0,
    stderr: [...lines, summary].map((each) => `${JSON.stringify(each)}\n`).join(''),
  })
  assert.deepEqual(
    found.map(({ package: name, id, url }) => [name, id, url]),
    [['spin 0.9.4', 'yanked', undefined]],
  )
  const short = JSON.stringify({ ...summary, fields: { advisories: { errors: 2, warnings: 0 } } })
  assert.throws(() => fromCargoDeny({ status: 1, stderr: short }), /counts 2 problems, but lists 0/)
})

test('a report of npm that contradicts itself is refused', () => {
  const report = (vulnerabilities, total) => ({
    status: 1,
    stderr: '',
    stdout: JSON.stringify({ auditReportVersion: 2, vulnerabilities, metadata: { vulnerabilities: { total } } }),
  })
  assert.throws(() => fromNpmAudit('x', report({}, 1)), /counts 1 packages, but lists 0/)
  assert.throws(() => fromNpmAudit('x', report({ a: { via: ['b'] } }, 1)), /packages without advisories/)
  const via = [{ name: 'a', range: '<2', title: 'bad', severity: 'low' }]
  const remedies = [true, { name: 'b', version: '3.0.0' }, false].map(
    (fixAvailable) => fromNpmAudit('x', report({ a: { via, fixAvailable } }, 1))[0].remedy,
  )
  assert.deepEqual(remedies, [
    'Run npm audit fix --package-lock-only in x',
    'Set b to 3.0.0 in x/package.json',
    'npm knows no fixed version: replace the package, or wait',
  ])
})

test('texts by others are quoted', () => {
  assert.equal(quoted('a`b|c\\|d\n@e <img>'), "`a'b\\|c/\\|d @e <img>`")
  assert.equal(quoted('x'.repeat(200)), `\`${'x'.repeat(160)}…\``)
  const link = { source: 's', package: 'p', id: 'i', url: 'javascript:alert(1)', kind: 'k', title: 't', remedy: 'r' }
  const body = render({ libraries: [], advisories: [link] })
  assert.match(body, /\| s \| `p` \| `i` `k`: `t` \| `r` \|/)
  assert.ok(body.startsWith(MARKER))
})

test('only current libraries without advisories are clean', () => {
  assert.equal(isClean({ libraries: [{ isOutdated: false }], advisories: [] }), true)
  assert.equal(isClean({ libraries: [{ isOutdated: true }], advisories: [] }), false)
  assert.equal(isClean({ libraries: [], advisories: [{}] }), false)
})
