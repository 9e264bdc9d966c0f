import { betterAuth } from 'better-auth'
import Database from 'strongroom'

export const auth = betterAuth({
  database: new Database('plain.db'),
  emailAndPassword: { enabled: true },
})
