import Database from 'strongroom'

export const open = () => new Database('encrypted.db', { passphrase: process.env.NOTES_PASSPHRASE })
