// Tests how the program `strongroom` reads secrets from files and from standard input.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import Database from 'strongroom'
import { program, strongroom } from './command-line.mjs'
import { folder, freshPath } from './temporary.mjs'

const RAW = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff', 'hex')

function made(options) {
  const path = freshPath()
  new Database(path, options).exec('CREATE TABLE t (a)').close()
  return basename(path)
}

/** Checks a file with a secret from a file. Returns the exit code and the first line of the error. */
function check(name, option, content) {
  writeFileSync(join(folder, 'secret'), content)
  const { status, stderr } = strongroom(['check', name, option, 'secret'])
  return [status, stderr.split('\n')[0]]
}

const OPENS = [0, '']
const refused = (reason) => [1, `strongroom: the file "secret" ${reason} (STRONGROOM_SECRET_FILE)`]

test('a raw key is 32 bytes, or 64 hexadecimal digits with or without a line break', () => {
  const name = made({ key: RAW })
  const hex = RAW.toString('hex')
  for (const content of [RAW, hex, `${hex}\n`, `${hex.toUpperCase()}\r\n`])
    assert.deepEqual(check(name, '--key-file', content), OPENS, content.toString())
  // A raw key may end in the byte of a line break.
  const odd = Buffer.concat([RAW.subarray(0, 31), Buffer.from('\n')])
  assert.deepEqual(check(made({ key: odd }), '--key-file', odd), OPENS)
  const wrong = (length) => refused(`has ${length} bytes; a key is 32 bytes, or 64 hexadecimal digits`)
  assert.deepEqual(check(name, '--key-file', RAW.subarray(1)), wrong(31))
  assert.deepEqual(check(name, '--key-file', `${hex}\n\n`), wrong(66))
  assert.deepEqual(check(name, '--key-file', `${hex.slice(1)}g`), wrong(64))
  assert.deepEqual(check(name, '--key-file', ''), wrong(0))
})

test('one line break at the end of a passphrase file is removed, and nothing else', () => {
  const name = made({ passphrase: ' pass\tphrase é ' })
  for (const end of ['', '\n', '\r\n'])
    assert.deepEqual(check(name, '--passphrase-file', ` pass\tphrase é ${end}`), OPENS)
  for (const content of [' pass\tphrase é \n\n', 'pass\tphrase é ', ' pass\tphrase é'])
    assert.equal(check(name, '--passphrase-file', content)[0], 3, JSON.stringify(content))
  assert.deepEqual(check(made({ passphrase: 'ends\n' }), '--passphrase-file', 'ends\n\n'), OPENS)
})

test('a passphrase of bytes that are not UTF-8', () => {
  const bytes = Buffer.from([0xff, 0xfe, 0x31])
  assert.deepEqual(check(made({ passphrase: bytes }), '--passphrase-file', bytes), OPENS)
})

test('empty, oversized and missing files, and folders, are refused', () => {
  const name = made({ key: RAW })
  const empty = refused('is empty; an empty passphrase is refused')
  assert.deepEqual(check(name, '--passphrase-file', ''), empty)
  assert.deepEqual(check(name, '--passphrase-file', '\n'), empty)
  const large = refused('has more than 65536 bytes; name the file with the secret')
  assert.deepEqual(check(name, '--passphrase-file', 'x'.repeat(65_537)), large)
  mkdirSync(join(folder, 'a-folder'))
  for (const [path, reason] of Object.entries({ missing: 'does not exist', 'a-folder': 'is a folder' })) {
    const { status, stderr } = strongroom(['check', name, '--key-file', path])
    assert.equal(status, 1)
    assert.equal(stderr, `strongroom: the file "${path}" ${reason} (STRONGROOM_SECRET_FILE)\n`)
  }
})

test('text in UTF-16 is refused with the name of the file', () => {
  const name = made({ passphrase: 'in UTF-8', format: 'strongroom' })
  const reason = refused('is text in UTF-16; save the file as UTF-8 without a byte order mark')
  const little = Buffer.from('in UTF-8\r\n', 'utf16le')
  const big = Buffer.from(little).swap16()
  const mark = Buffer.from([0xff, 0xfe])
  const contents = [little, big, Buffer.concat([mark, little]), Buffer.concat([Buffer.from(mark).swap16(), big])]
  for (const content of contents)
    for (const option of ['--passphrase-file', '--recovery-file', '--key-file'])
      assert.deepEqual(check(name, option, content), reason)
  const hex = Buffer.from(RAW.toString('hex'), 'utf16le')
  assert.deepEqual(check(name, '--key-file', hex), reason)
  const code = refused('is not text in UTF-8; it must have the recovery code, 32 letters and digits')
  assert.deepEqual(check(name, '--recovery-file', Buffer.from([0xff, 0x41])), code)
  // Random bytes are a passphrase, also with bytes that text in UTF-16 has.
  for (const bytes of [
    [0xff, 0xfe, 0x31, 0x32],
    [0, 1, 2, 3],
    [0x31, 0, 0x32],
  ])
    assert.deepEqual(check(made({ passphrase: Buffer.from(bytes) }), '--passphrase-file', Buffer.from(bytes)), OPENS)
})

test('- reads standard input', () => {
  const name = made({ passphrase: 'from a pipe' })
  const { status, stderr } = strongroom(['check', name, '--passphrase-file', '-'], { input: 'from a pipe\n' })
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
  const empty = strongroom(['check', name, '--passphrase-file', '-'])
  assert.equal(
    empty.stderr,
    'strongroom: standard input is empty; an empty passphrase is refused (STRONGROOM_SECRET_FILE)\n',
  )
})

test('only one option can read standard input', () => {
  const name = made({ key: RAW })
  const { status, stderr } = strongroom(['migrate', name, '--key-file', '-', '--new-passphrase-file', '-'])
  assert.equal(status, 2)
  assert.match(stderr, /^strongroom: only one option can read standard input \(-\)\n/)
})

test('a secret can come from a pipe that has a path', {
  skip: process.platform === 'win32' && 'Windows has no /dev/fd',
}, () => {
  const name = made({ passphrase: 'printed' })
  const line = `"${process.execPath}" "${program}" check ${name} --passphrase-file <(echo printed)`
  const { status, stderr } = spawnSync('bash', ['-c', line], { cwd: folder, encoding: 'utf8' })
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
})

test('without a terminal, a missing key is an error that names the options', () => {
  const name = made({ key: RAW })
  const expected =
    `strongroom: "${name}" is encrypted, and the process has no terminal to ask on: give --passphrase-file, ` +
    '--key-file, or --recovery-file (the file "-" is standard input)\nSee `strongroom help check`.\n'
  assert.deepEqual(strongroom(['check', name]), { status: 2, stdout: '', stderr: expected })
  const plain = made()
  const encrypt = strongroom(['encrypt', plain])
  assert.equal(encrypt.status, 2)
  assert.match(
    encrypt.stderr,
    /^strongroom: a new passphrase is needed, .* give --new-passphrase-file or --new-key-file /,
  )
})

test('a plain file needs no key, and refuses one', () => {
  const name = made()
  assert.equal(strongroom(['check', name]).status, 0)
  const [status, error] = check(name, '--passphrase-file', 'x')
  assert.equal(status, 1)
  assert.match(
    error,
    /the file is not encrypted; .* encrypt it with `strongroom encrypt` \(STRONGROOM_NOT_ENCRYPTED\)$/,
  )
})

test('the secrets of a command are overwritten with zeros', () => {
  // The preload keeps all memory that the program allocates outside V8's heap, and looks at it at the end.
  const preload = join(folder, 'buffers.cjs')
  writeFileSync(
    preload,
    `const kept = []
    globalThis.ArrayBuffer = class extends ArrayBuffer {
      constructor(length) { super(length); kept.push(Buffer.from(this)) }
    }
    process.on('exit', () => {
      const holds = kept.filter((buffer) => buffer.includes('tell nobody') || buffer.includes('5f5f5f5f'))
      console.log(JSON.stringify({ buffers: kept.length > 2, holds: holds.length }))
    })`,
  )
  const name = made({ passphrase: 'tell nobody' })
  writeFileSync(join(folder, 'tell'), 'tell nobody\n')
  writeFileSync(join(folder, 'hex'), `${'5f'.repeat(32)}\n`)
  const run = (...args) => {
    const { stdout, stderr } = strongroom(args, { env: { NODE_OPTIONS: `--require "${preload}"` } })
    assert.equal(stderr, '')
    return JSON.parse(stdout.trim().split('\n').at(-1))
  }
  const wiped = { buffers: true, holds: 0 }
  assert.deepEqual(run('check', name, '--passphrase-file', 'tell'), wiped)
  assert.deepEqual(run('migrate', name, '--passphrase-file', 'tell', '--new-key-file', 'hex'), wiped)
  assert.deepEqual(run('decrypt', name, '--key-file', 'hex'), wiped)
})
