// Tests the help of the program `strongroom`, and its errors for command lines that are not valid.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { program, strongroom } from './command-line.mjs'

const require = createRequire(import.meta.url)
const { bin, version } = require('strongroom/package.json')

const COMMANDS = ['check', 'encrypt', 'decrypt', 'migrate', 'backup']

/** Runs a command line that is not valid. Returns the first line of the error. */
function mistake(args) {
  const { status, stdout, stderr } = strongroom(args)
  assert.deepEqual({ status, stdout }, { status: 2, stdout: '' }, stderr)
  const [first, second, ...rest] = stderr.split('\n')
  assert.match(second, /^See `strongroom .*`\.$/)
  assert.deepEqual(rest, [''])
  return first.replace(/^strongroom: /, '')
}

test('the package has the program as its bin, executable and with a #! line', () => {
  assert.deepEqual(bin, { strongroom: './dist/cli/strongroom.js' })
  assert.equal(program, join(dirname(require.resolve('strongroom/package.json')), bin.strongroom))
  assert.ok(readFileSync(program, 'utf8').startsWith('#!/usr/bin/env node\n'))
  if (process.platform === 'win32') return
  assert.equal(statSync(program).mode & 0o111, 0o111)
  assert.match(execFileSync(program, ['--version'], { encoding: 'utf8' }), /^strongroom /)
})

test('a program that imports the package does not load the command line, nor node:tty', () => {
  const script = `
    const before = process.moduleLoadList.includes('NativeModule tty')
    const Database = require(${JSON.stringify(require.resolve('strongroom'))})
    new Database().exec('SELECT 1')
    const files = Object.keys(require.cache).filter((file) => /[\\\\/]cli[\\\\/]/.test(file))
    console.log(JSON.stringify({ files, tty: !before && process.moduleLoadList.includes('NativeModule tty') }))`
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
  assert.deepEqual({ stdout: JSON.parse(stdout), stderr }, { stdout: { files: [], tty: false }, stderr: '' })
})

test('--help does not load the library, and works where the addon does not load', () => {
  const { status, stdout, stderr } = strongroom(['--help'], { env: { STRONGROOM_LIBRARY: '/missing.node' } })
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
  assert.match(stdout, /^Usage: strongroom COMMAND FILE \[options\]\n/)
  for (const name of [...COMMANDS, 'keys']) assert.ok(stdout.includes(`\n  ${name} FILE`), name)
})

for (const name of COMMANDS) {
  test(`the help of ${name} has options, exit codes and examples, in 80 columns`, () => {
    const { status, stdout, stderr } = strongroom([name, '--help'])
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
    for (const title of ['Options:', 'Exit codes:', 'Examples:']) assert.ok(stdout.includes(`\n${title}\n`), title)
    assert.ok(stdout.startsWith(`Usage: strongroom ${name} FILE`))
    assert.ok(stdout.includes(`\n  strongroom ${name} `))
    // An example is one line, so that it can be copied.
    const long = stdout.split('\n').filter((line) => line.length > 80 && !line.startsWith('  strongroom '))
    assert.deepEqual(long, [])
    assert.equal(strongroom(['help', name]).stdout, stdout)
    assert.equal(strongroom([name, 'x.db', '-h']).stdout, stdout)
  })
}

test('--version prints the versions, also as JSON', () => {
  assert.ok(strongroom(['--version']).stdout.startsWith(`strongroom ${version}\nsqlite 3.`))
  const json = JSON.parse(strongroom(['--version', '--json']).stdout)
  assert.equal(json.strongroom, version)
  assert.equal(json.node, process.version)
})

test('--version prints the version where the addon does not load', () => {
  const { status, stdout, stderr } = strongroom(['--version'], { env: { STRONGROOM_LIBRARY: '/missing.node' } })
  assert.equal(status, 0)
  assert.ok(stdout.startsWith(`strongroom ${version}\n`), stdout)
  assert.match(stderr, /could not load its addon/)
})

test('a misspelled command or option is answered with the nearest one', () => {
  assert.equal(mistake(['chek', 'x.db']), '"chek" is not a command; did you mean "check"?')
  assert.match(mistake(['frobnicate']), /^"frobnicate" is not a command; the commands are check, encrypt, /)
  assert.equal(
    mistake(['check', 'x.db', '--pasphrase-file', 'p']),
    'check has no option --pasphrase-file; did you mean --passphrase-file?',
  )
  assert.equal(mistake(['check', 'x.db', '--xyzzy-plugh']), 'check has no option --xyzzy-plugh')
  assert.equal(mistake(['help', 'bakup']), '"bakup" is not a command; did you mean "backup"?')
})

test('an option of another command is refused', () => {
  assert.equal(mistake(['check', 'x.db', '--keep', 'y.db']), 'check has no option --keep')
  assert.equal(
    mistake(['encrypt', 'x.db', '--key-file', 'k']),
    'encrypt has no option --key-file; did you mean --new-key-file?',
  )
})

test('missing, superfluous and empty arguments are refused', () => {
  assert.equal(mistake([]), 'a command is missing')
  assert.equal(mistake(['--quiet']), '--quiet needs a command')
  assert.equal(mistake(['check']), 'FILE is missing: strongroom check FILE [options]')
  assert.equal(mistake(['backup', 'x.db']), 'TARGET is missing: strongroom backup FILE TARGET [options]')
  assert.equal(mistake(['check', '']), 'FILE is empty: is a variable not set?')
  assert.equal(mistake(['check', 'a.db', 'b.db']), 'unexpected argument "b.db": strongroom check FILE [options]')
})

test('the value of an option is checked', () => {
  const check = (...options) => mistake(['check', 'x.db', ...options])
  assert.equal(check('--key-file'), '--key-file needs a value: --key-file FILE')
  assert.equal(check('--key-file='), 'the value of --key-file is empty: is a variable not set?')
  assert.match(check('--key-file', '--json'), /^--key-file needs a value: --key-file FILE, or --key-file=--json /)
  assert.equal(check('--quiet=yes'), '--quiet takes no value')
  for (const value of ['soon', '0.2001', '.5', '1e3', '0x5', '-1'])
    assert.equal(
      check(`--timeout=${value}`),
      `--timeout needs seconds, in whole milliseconds, such as 5 or 0.25, not "${value}"`,
    )
  assert.equal(check('--page-size', '0.2'), '--page-size needs a whole number, not "0.2"')
  assert.equal(check('--key-file', 'a', '--key-file', 'b'), '--key-file is given twice')
  assert.equal(
    check('--key-file', 'a', '--passphrase-file', 'b'),
    '--passphrase-file and --key-file cannot be combined: give one of them',
  )
  assert.equal(check('--salt', 'xyz'), '--salt needs hexadecimal digits, not "xyz"')
})

test('options of the cipher are checked as the library checks them, under their names on the command line', () => {
  const migrate = (...options) => mistake(['migrate', 'x.db', ...options])
  assert.equal(migrate('--cipher-compatibility', '5'), '--cipher-compatibility must be from 1 to 4, not 5')
  assert.equal(migrate('--new-page-size', '3000'), '--new-page-size must be a power of two, not 3000')
  assert.equal(migrate('--hmac-pgno', 'x'), '--hmac-pgno must be "le", "be" or "native", not "x"')
  assert.equal(migrate('--format', 'sqlite'), '--format must be "sqlcipher" or "strongroom", not "sqlite"')
  assert.match(
    migrate('--format', 'strongroom', '--new-kdf-iter', '9'),
    /^--new-kdf-iter belongs to SQLCipher's format/,
  )
})

test('a secret on the command line is refused, and the error does not repeat it', () => {
  for (const args of [['--passphrase', 'hunter2'], ['--passphrase=hunter2'], ['--new-passphrase', 'hunter2']]) {
    const { status, stdout, stderr } = strongroom(['migrate', 'x.db', ...args])
    assert.equal(status, 2)
    assert.match(stderr, /^strongroom: --(new-)?passphrase takes no value: strongroom asks for the secret/)
    assert.ok(!`${stdout}${stderr}`.includes('hunter2'), stderr)
  }
})

test('the errors of a command line are JSON with --json', () => {
  const { status, stdout, stderr } = strongroom(['chek', '--json'])
  assert.deepEqual({ status, stdout }, { status: 2, stdout: '' })
  assert.deepEqual(JSON.parse(stderr), {
    error: {
      code: 'STRONGROOM_USAGE',
      message: '"chek" is not a command; did you mean "check"?',
      advice: 'See `strongroom --help`.',
      exitCode: 2,
    },
  })
})
