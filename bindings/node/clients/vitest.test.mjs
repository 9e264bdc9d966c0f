// Tests Vitest: several test files open the same database at once, in each pool.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { after, describe, test } from 'node:test'
import { PASSPHRASE, Project } from './project.mjs'

describe('vitest', () => {
  let project
  after(() => project?.remove())
  test('installs from its lock file', async () => {
    project = await Project.install('vitest')
  })
  for (const pool of ['threads', 'vmThreads', 'forks'])
    test(`runs: ${pool}`, async () => {
      rmSync(project.path('encrypted.db'), { force: true })
      const options = { env: { NOTES_PASSPHRASE: PASSPHRASE }, timeout: 60_000 }
      const output = await project.command('vitest', ['run', '--pool', pool, '--maxWorkers', '3'], options)
      assert.match(output, /Test Files {2}3 passed \(3\)/)
      for (const title of ['buy milk', 'walk the dog', 'answer the mail'])
        project.assertStored('encrypted.db', title, { encrypted: true })
    })
})
