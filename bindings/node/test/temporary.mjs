import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'

/** A folder for the files of one test file, removed after its last test. */
export const folder = mkdtempSync(join(tmpdir(), 'strongroom-'))
after(() => rmSync(folder, { recursive: true, force: true }))

let count = 0

/** Returns a path in `folder` that no test has used. */
export function freshPath() {
  count += 1
  return join(folder, `${count}.db`)
}
