import Database from 'strongroom'

export const db = new Database('plain.db')
