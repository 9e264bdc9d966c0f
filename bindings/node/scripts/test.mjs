// Runs the JavaScript tests against the addon in dist/, then checks the types.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('../', import.meta.url))
if (!existsSync(join(here, 'dist/index.js'))) {
  console.error('dist/index.js does not exist: run `npm run build:test` first')
  process.exit(1)
}

const files = ['test', 'test/tree', 'bench/test'].flatMap((folder) =>
  readdirSync(join(here, folder))
    .filter((name) => /\.test\.[cm]js$/.test(name))
    .sort()
    .map((name) => join(folder, name)),
)
// Node leaves one processor to itself: on two, the files would run one after another.
const concurrency = `--test-concurrency=${availableParallelism()}`
for (const args of [['--test', concurrency, ...process.argv.slice(2), ...files], ['scripts/types.mjs']]) {
  const { status } = spawnSync(process.execPath, args, { cwd: here, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
