import { defineConfig } from 'prisma/config'

// `prisma generate` downloads the schema engine without using it, unless this variable names an existing file.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath

export default defineConfig({ schema: 'schema.prisma', migrations: { path: 'migrations' } })
