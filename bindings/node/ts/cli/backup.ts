import { existsSync, statSync } from 'node:fs'

import type Database = require('../index')

import { SqliteError } from '../api/errors'
import type { Arguments } from './arguments'
import { cipherParameters } from './cipher'
import { EXIT } from './exit'
import { Interrupted, interruptible } from './interrupt'
import { currentKey, expectPages, type Key, newKey, reading, timeout, withSecrets } from './open'
import { counted, type Output } from './output'
import { Progress } from './progress'
import type { Secret, Secrets } from './secrets'

/** Copies a database that may be in use. */
export function backup(given: Arguments, output: Output): Promise<number> {
  return withSecrets(given, async (secrets) => {
    const [file, target] = [given.positional('FILE'), given.positional('TARGET')]
    if (given.has('plain') && secrets.has('new-')) throw given.usage('--plain excludes a new key')
    if (existsSync(target) && !given.has('force'))
      throw new SqliteError(
        `"${target}" already exists; name another file, or replace it with --force`,
        'STRONGROOM_EXISTS',
      )
    const key = await currentKey(given, secrets, file)
    const options = await copyOptions(given, secrets, key)
    secrets.asked()
    await copied(given, output, key, options)
    const bytes = statSync(target).size
    const format = options.plain || key === undefined ? undefined : options.format
    await output.success(
      { file, target, bytes, ...(format === undefined ? {} : { format }) },
      `${target} is a copy of ${file}: ${counted(bytes, 'byte')}.`,
    )
    return EXIT.done
  })
}

/** Returns the key of the copy: none, another key, or that of the file. */
async function copyOptions(given: Arguments, secrets: Secrets, key: Key): Promise<Database.BackupOptions> {
  const parameters = cipherParameters(given, 'new-', given.value('format'))
  if (given.has('plain')) {
    if (Object.keys(parameters).length > 0) throw given.usage('--plain excludes the options of an encrypted copy')
    return { plain: true }
  }
  if (secrets.has('new-')) return newKey(await secrets.fresh(given.positional('TARGET')), parameters, given)
  if (Object.keys(parameters).length === 0) return {}
  if (key === undefined)
    throw given.usage('the file is not encrypted: an encrypted copy needs --new-passphrase or another new key')
  return newKey(key as Secret, parameters, given)
}

async function copied(given: Arguments, output: Output, key: Key, options: Database.BackupOptions): Promise<void> {
  const [file, target] = [given.positional('FILE'), given.positional('TARGET')]
  const progress = new Progress(output, `Copying ${file}`)
  const unchanged = existsSync(target) ? 'is unchanged' : 'was not written'
  await interruptible(`cancelled; "${target}" ${unchanged}`, (signal) =>
    reading(file, { ...key, timeout: timeout(given) }, async (db) => {
      expectPages(db, file)
      try {
        return await db.backup(target, {
          ...options,
          progress: ({ totalPages, remainingPages }) => {
            if (signal.aborted) throw new Interrupted('the backup was cancelled')
            progress.update(totalPages - remainingPages, totalPages)
          },
        })
      } finally {
        progress.end()
      }
    }),
  )
}
