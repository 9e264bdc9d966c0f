import * as sqliteVec from 'sqlite-vec'
import Database from 'strongroom'

export const db = new Database('plain.db')
sqliteVec.load(db)
