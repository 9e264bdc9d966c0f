// The files and the calls of the tests of `strongroom keys`.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import Database from 'strongroom'
import { strongroom } from './command-line.mjs'
import { folder, freshPath } from './temporary.mjs'

/** A raw key, which the file `raw.key` has. */
export const RAW = Buffer.alloc(32, 0x61)
for (const [name, content] of Object.entries({ right: 'right\n', wrong: 'wrong\n', other: 'other\n', 'raw.key': RAW }))
  writeFileSync(join(folder, name), content)

/** The options that open the files. */
export const RIGHT = ['--passphrase-file', 'right']
/** Matches a recovery code and a line break. */
export const CODE = /^[A-Z0-9]{4}(-[A-Z0-9]{4}){7}\n$/

/** Makes a database, by default in the Strongroom format. Returns the name of the file. */
export function made(options = { passphrase: 'right', format: 'strongroom' }) {
  const path = freshPath()
  new Database(path, options).exec("CREATE TABLE t (a); INSERT INTO t VALUES ('kept')").close()
  return basename(path)
}

/** Runs a command on the keys of a file that succeeds. Returns its output. */
export function keys(name, ...args) {
  const { status, stdout, stderr } = strongroom(['keys', name, ...args])
  assert.equal(status, 0, stderr)
  return { stdout, stderr }
}

/** Runs a command on the keys of a file that fails. Returns its exit code and its error as an object. */
export function refused(name, ...args) {
  const { status, stdout, stderr } = strongroom(['keys', name, ...args, '--json'])
  assert.equal(stdout, '')
  const { error } = JSON.parse(stderr)
  assert.equal(error.exitCode, status)
  return error
}

/** Returns the slots of a file. */
export const slots = (name, ...args) =>
  JSON.parse(keys(name, 'list', ...(args.length > 0 ? args : RIGHT), '--json').stdout).slots

/** Returns whether a secret opens a file. */
export function opens(name, options) {
  try {
    const db = new Database(join(folder, name), { ...options, fileMustExist: true })
    assert.equal(db.prepare('SELECT a FROM t').pluck().get(), 'kept')
    db.close()
    return true
  } catch (error) {
    assert.equal(error.code, 'STRONGROOM_WRONG_KEY')
    return false
  }
}
