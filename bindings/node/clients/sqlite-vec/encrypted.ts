import * as sqliteVec from 'sqlite-vec'
import Database from 'strongroom'

export const db = new Database('encrypted.db', { passphrase: process.env.NOTES_PASSPHRASE })
sqliteVec.load(db)
