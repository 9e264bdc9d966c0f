import { defineConfig } from 'prisma/config'

// `prisma generate` downloads the schema engine, which it does not use, unless a file is in its place.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath

export default defineConfig({ schema: 'schema.prisma', migrations: { path: 'migrations' } })
