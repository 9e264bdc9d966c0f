// Regenerates the lock files of the named projects, or of all projects: node clients/lock.mjs PACKED [PROJECT...]
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projects, run, source } from './project.mjs'
import { startRegistry } from './registry.mjs'

/** Removes the URLs of all packages, and the hashes of Strongroom's own packages. Every build changes those hashes. */
function bare(lock) {
  for (const [path, entry] of Object.entries(lock.packages)) {
    delete entry.resolved
    if (/(^|\/)(strongroom|@strongroom\/[\w-]+)$/.test(entry.name ?? path)) delete entry.integrity
  }
  return lock
}

const [packed, ...named] = process.argv.slice(2)
if (!packed) {
  console.error('usage: node clients/lock.mjs PACKED [PROJECT...], with the folder that `cargo xtask pack` wrote')
  process.exit(2)
}
const registry = await startRegistry(packed)
for (const name of named.length > 0 ? named : projects()) {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-lock-'))
  try {
    copyFileSync(source(name, 'package.json'), join(folder, 'package.json'))
    const args = ['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund', '--registry']
    await run('npm', [...args, registry.url], { cwd: folder })
    const lock = bare(JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')))
    writeFileSync(source(name, 'package-lock.json'), `${JSON.stringify(lock, null, 2)}\n`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
registry.close()
