// Tests the program `strongroom` on files without pages.
//
// SQLite opens a file that was cut off as an empty database. `check` once found no damage in such a file, and `backup
// --force` then replaced the last good backup by an empty database.
import assert from 'node:assert/strict'
import { copyFileSync, readdirSync, readFileSync, truncateSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import Database from 'strongroom'
import { made, RIGHT } from './cli-keys.mjs'
import { strongroom } from './command-line.mjs'
import { folder, freshPath } from './temporary.mjs'

const passphrase = 'right'
const FORMATS = { plain: {}, sqlcipher: { passphrase }, strongroom: { passphrase, format: 'strongroom' } }
const READERS = [['check'], ['backup', 'last.db', '--force']]
const CONVERSIONS = { plain: [['encrypt', '--new-passphrase-file', 'right']] }
const ENCRYPTED = [['decrypt'], ['migrate', '--format', 'sqlcipher']]

/** Asserts that a command refuses a file, and changes neither the file nor the last backup. */
function refuses(name, [command, ...rest], bytes) {
  const contents = () => [name, 'last.db'].map((file) => readFileSync(join(folder, file), 'hex'))
  const [before, files] = [contents(), readdirSync(folder)]
  const words = ['list', 'rotate'].includes(command) ? ['keys', name, command] : [command, name]
  const { status, stdout, stderr } = strongroom([...words, ...rest])
  const size = `${bytes.toLocaleString('en-US')} byte${bytes === 1 ? '' : 's'}`
  const lines = [
    `strongroom: "${name}" holds no database: the file has ${size} and no page (STRONGROOM_EMPTY_FILE)`,
    'Is this the right file? If so, something cut it off, or nothing was written yet: restore a backup.',
    '',
  ]
  assert.deepEqual({ status, stdout, stderr }, { status: 1, stdout: '', stderr: lines.join('\n') }, `${words}`)
  assert.deepEqual(contents(), before)
  assert.deepEqual(readdirSync(folder), files)
}

for (const [format, options] of Object.entries(FORMATS))
  for (const bytes of format === 'strongroom' ? [0, 1, 16, 100, 4096, 8192] : [0, 1])
    test(`a file in the format ${format} that was cut off to ${bytes} bytes`, () => {
      const name = made(options)
      copyFileSync(join(folder, name), join(folder, 'last.db'))
      truncateSync(join(folder, name), bytes)
      const commands = [...READERS, ...(CONVERSIONS[format] ?? ENCRYPTED)]
      if (format === 'strongroom') commands.push(['rotate'])
      for (const [command, ...rest] of commands)
        refuses(name, [command, ...rest, ...(format === 'plain' ? [] : RIGHT)], bytes)
      // No key opens a file of at most one byte, or a part of a header: the refusal comes before the question for a passphrase.
      if (bytes < 4096)
        for (const command of [...READERS, ...ENCRYPTED, ['rotate'], ['list']]) refuses(name, command, bytes)
    })

test('a new file in WAL mode, whose rows are in the log, has pages', () => {
  const path = freshPath()
  const db = new Database(path, FORMATS.strongroom)
  db.pragma('journal_mode = WAL')
  db.exec("CREATE TABLE t (a); INSERT INTO t VALUES ('kept')")
  const { status, stdout } = strongroom(['check', basename(path), ...RIGHT])
  assert.deepEqual([status, /no damage in \d+ pages/.test(stdout)], [0, true])
  db.close()
})
