// Builds an executable from each program that the command line names.
import { execFileSync } from 'node:child_process'
import { copyFileSync, readFileSync } from 'node:fs'
import { build } from 'esbuild'
import { inject } from 'postject'

const FUSE = { sentinelFuse: 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2' }

for (const name of process.argv.slice(2)) {
  await build({
    entryPoints: [`${name}.js`],
    bundle: true,
    platform: 'node',
    outfile: `out/${name}.cjs`,
    external: ['@strongroom/*'],
  })
  execFileSync(process.execPath, ['--experimental-sea-config', `${name}.json`])
  copyFileSync(process.execPath, `out/${name}`)
  await inject(`out/${name}`, 'NODE_SEA_BLOB', readFileSync(`out/${name}.blob`), FUSE)
}
