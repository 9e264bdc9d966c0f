import { betterAuth } from 'better-auth'
import Database from 'strongroom'

export const auth = betterAuth({
  database: new Database('encrypted.db', { passphrase: process.env.NOTES_PASSPHRASE }),
  emailAndPassword: { enabled: true },
})
