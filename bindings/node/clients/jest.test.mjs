// Tests Jest: several test files open the same database, and each file loads the package again.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { after, describe, test } from 'node:test'
import { PASSPHRASE, Project } from './project.mjs'

const RUNS = { 'in one process': ['--runInBand'], 'in several processes': ['--maxWorkers=3'] }

describe('jest', () => {
  let project
  after(() => project?.remove())
  test('installs from its lock file', async () => {
    project = await Project.install('jest')
  })
  for (const [title, args] of Object.entries(RUNS))
    test(`runs, and exits: ${title}`, async () => {
      rmSync(project.path('encrypted.db'), { force: true })
      // If Jest hangs, the timeout ends it and the test fails.
      const output = await project.command('jest', args, { env: { NOTES_PASSPHRASE: PASSPHRASE }, timeout: 60_000 })
      assert.match(output, /Test Suites: 3 passed, 3 total/)
      assert.doesNotMatch(output, /did not exit|failed to exit|open handles?/)
      for (const title of ['buy milk', 'walk the dog', 'answer the mail'])
        project.assertStored('encrypted.db', title, { encrypted: true })
    })
})
