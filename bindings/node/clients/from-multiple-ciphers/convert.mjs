import { constants, copyFileSync } from 'node:fs'
import { open } from './open.mjs'

const { NOTES_PASSPHRASE } = process.env
if (!NOTES_PASSPHRASE) throw new Error('NOTES_PASSPHRASE is not set')
const passphrase = NOTES_PASSPHRASE.replaceAll("'", "''")

const db = open('notes.db')
db.pragma('journal_mode = DELETE')
copyFileSync('notes.db', 'notes-before.db', constants.COPYFILE_EXCL)
db.pragma("cipher = 'sqlcipher'")
db.pragma('legacy = 4')
db.pragma(`rekey = '${passphrase}'`)
db.close()
