// Loads a package, opens a file, and reads the versions and the settings.
import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The settings that every configuration must have. Some packages return the values as text. */
const EXPECTED = { page_size: 4096, journal_mode: 'wal', synchronous: 1, cache_size: -16000, temp_store: 2 }

export function describe({ peer, configuration, key, file }) {
  peer.load()
  const db = peer.open(file, key)
  const value = (sql) => Object.values(peer.get(peer.prepare(db, sql)) ?? {})[0]
  for (const [name, expected] of Object.entries(EXPECTED)) {
    const found = value(`PRAGMA ${name}`)
    if (String(found) !== String(expected))
      throw new Error(`PRAGMA ${name} is ${found}, but every configuration must have ${expected}`)
  }
  const sqlite = value('SELECT sqlite_version()')
  peer.close(db)
  return { version: versionOf(configuration), sqlite }
}

/** Returns the version in a package's package.json, which the package's `exports` may hide from `require`. */
function versionOf({ module }) {
  if (module.startsWith('node:')) return process.versions.node
  const folder = isAbsolute(module) ? module : fileURLToPath(new URL(`node_modules/${module}`, import.meta.url))
  const file = [folder, join(folder, '..')].map((place) => join(place, 'package.json')).find((file) => existsSync(file))
  return file && JSON.parse(readFileSync(file, 'utf8')).version
}
