import Database from 'strongroom'

export const open = () => new Database('plain.db')
