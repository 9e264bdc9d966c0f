import { build } from 'esbuild'

await build({
  entryPoints: ['notes.ts'],
  bundle: true,
  platform: 'node',
  format: 'esm',
  outfile: 'out/notes.mjs',
  loader: { '.node': 'copy' },
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" },
})
