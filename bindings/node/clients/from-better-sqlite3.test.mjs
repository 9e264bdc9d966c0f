// Tests docs/from-better-sqlite3.md: Strongroom reads the files of better-sqlite3, and better-sqlite3 reads them again
// afterwards.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, beforeEach, describe, test } from 'node:test'
import { PASSPHRASE, Project } from './project.mjs'

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
const COMPILE = ['--noEmit', '--strict', '--skipLibCheck', '--ignoreConfig', '--types', 'node']
COMPILE.push('--module', 'nodenext', '--target', 'es2023')
const env = { NOTES_PASSPHRASE: PASSPHRASE }

describe('from better-sqlite3', () => {
  let project
  before(async () => {
    project = await Project.install('from-better-sqlite3', { beside: true })
  })
  after(() => project?.remove())
  beforeEach(() => {
    for (const file of ['notes.db', 'notes.db-wal', 'notes.db-shm', 'notes-plain.db'])
      rmSync(project.path(file), { force: true })
  })

  /** Runs a program of the project, and returns the program's output. */
  const run = (file) => project.node([file], { env })
  /** Runs JavaScript in the project, and returns the script's output. */
  const evaluate = (code) => project.node(['--input-type=module', '--eval', code], { env })
  /** Writes a copy of a program that imports Strongroom instead of better-sqlite3. Returns the name of the copy. */
  const renamed = (file, as) => {
    const text = readFileSync(project.path(file), 'utf8')
    writeFileSync(project.path(as), text.replaceAll("'better-sqlite3'", "'strongroom'"))
    return as
  }

  test('a renamed import is enough, and both packages read the file in turn', async () => {
    const program = renamed('before.mjs', 'renamed.mjs')
    assert.equal(await run('before.mjs'), '1\n')
    assert.equal(await run(program), '2\n')
    assert.equal(await run('before.mjs'), '3\n')
  })

  test('Strongroom exports its types under the names of @types/better-sqlite3', async () => {
    await project.node([tsc, ...COMPILE, 'types.ts', renamed('types.ts', 'renamed.ts')])
  })

  test('a write-ahead log that a crash left behind is part of the database', async () => {
    const crash = 'process.on("exit", () => process.kill(process.pid, "SIGKILL"))'
    const text = readFileSync(project.path('before.mjs'), 'utf8').replace('db.close()', crash)
    await assert.rejects(evaluate(text), /SIGKILL/)
    copyFileSync(project.path('notes.db'), project.path('notes-plain.db'))
    const count = (file) =>
      evaluate(`import Database from 'strongroom'
        console.log(new Database('${file}').prepare('SELECT count(*) FROM note').pluck().get())`)
    await assert.rejects(count('notes-plain.db'), /no such table: note/)
    assert.equal(await count('notes.db'), '1\n')
  })

  test('a file is encrypted, checked and decrypted', async () => {
    await run('before.mjs')
    await assert.rejects(run('after.mjs'), /cannot open "notes\.db" with a key.*STRONGROOM_NOT_ENCRYPTED/s)
    await run('encrypt.mjs')
    project.assertStored('notes.db', 'buy milk', { encrypted: true })
    project.assertStored('notes-plain.db', 'buy milk', { encrypted: false })
    assert.equal(await run('after.mjs'), '2\n')
    assert.equal(await run('check.mjs'), 'true true []\n')
    await assert.rejects(run('before.mjs'), /SqliteError: file is not a database/)
    await assert.rejects(run('renamed.mjs'), /SQLITE_NOTADB/)
    await run('back.mjs')
    assert.equal(await run('before.mjs'), '3\n')
  })

  test('a file that another program has open is not encrypted', async () => {
    await run('before.mjs')
    const hold = `import Database from 'better-sqlite3'
      const db = new Database('notes.db')
      console.log(db.prepare('SELECT text FROM note').get())
      process.stdin.resume()`
    const holder = spawn(process.execPath, ['--input-type=module', '--eval', hold], { cwd: project.folder })
    try {
      await once(holder.stdout, 'data')
      const text = readFileSync(project.path('encrypt.mjs'), 'utf8')
      await assert.rejects(evaluate(text.replace('keep:', 'timeout: 10, keep:')), /STRONGROOM_IN_USE/)
    } finally {
      holder.stdin.end()
      await once(holder, 'close')
    }
    project.assertStored('notes.db', 'buy milk', { encrypted: false })
  })

  test('a backup of an encrypted database is encrypted, and a backup by better-sqlite3 is plain', async () => {
    await run('before.mjs')
    await evaluate(`import Database from 'better-sqlite3'
      await new Database('notes.db').backup('old-backup.db')`)
    await run('encrypt.mjs')
    await evaluate(`import Database from 'strongroom'
      const db = new Database('notes.db', { passphrase: process.env.NOTES_PASSPHRASE })
      await db.backup('backup.db')
      db.close()`)
    project.assertStored('old-backup.db', 'buy milk', { encrypted: false })
    project.assertStored('backup.db', 'buy milk', { encrypted: true })
    renameSync(project.path('old-backup.db'), project.path('notes.db'))
    rmSync(project.path('notes-plain.db'))
    await run('encrypt.mjs')
    assert.equal(await run('after.mjs'), '2\n')
  })

  test('the other entry points and addons of better-sqlite3 are refused', async () => {
    await assert.rejects(evaluate("import 'strongroom/linux-x64'"), /ERR_PACKAGE_PATH_NOT_EXPORTED/)
    const addon = project.path('node_modules/better-sqlite3/prebuilds/linux-x64.node')
    const open = `import Database from 'strongroom'
      new Database(':memory:', { nativeBinding: ${JSON.stringify(addon)} })`
    await assert.rejects(evaluate(open), /the file is not strongroom's addon/)
  })
})
