import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

test('the example in the README runs', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const [, example] = /```js\n(.*?)```/s.exec(readme)
  const script = example.replace("'strongroom'", `'${import.meta.resolve('strongroom')}'`)
  const cwd = mkdtempSync(join(tmpdir(), 'strongroom-readme-'))
  try {
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd,
      encoding: 'utf8',
      env: { ...process.env, CATS_PASSPHRASE: 'meow' },
    })
    assert.deepEqual({ stdout, stderr }, { stdout: 'joey\nsally\n', stderr: '' })
  } finally {
    rmSync(cwd, { recursive: true })
  }
})
