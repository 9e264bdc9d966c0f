import { constants, copyFileSync } from 'node:fs'
import Database from 'strongroom'
import { open } from './open.mjs'

const db = open('notes.db')
db.pragma('journal_mode = DELETE')
copyFileSync('notes.db', 'notes-before.db', constants.COPYFILE_EXCL)
db.pragma("rekey = ''")
db.close()
await Database.encrypt('notes.db', { passphrase: process.env.NOTES_PASSPHRASE })
