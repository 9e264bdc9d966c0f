import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { plot, tables } from '../async/report.mjs'
import { assertWellFormed } from './well-formed.mjs'

const script = fileURLToPath(new URL('../async/async.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'strongroom-bench-async-test-'))
after(() => rmSync(folder, { recursive: true, force: true }))

// Without other packages, the measurement needs only the addon in dist. The CPU time of a thread is read from Linux.
test('every asynchronous task runs, at a five-hundredth of its size', {
  skip: process.platform !== 'linux' && 'skipped: reads /proc',
}, () => {
  const [json, svg] = [join(folder, 'results.json'), join(folder, 'delay.svg')]
  const args = [
    '--rounds',
    '1',
    '--scale',
    '0.002',
    '--peers',
    '^$',
    '--node',
    process.execPath,
    '--json',
    json,
    '--svg',
    svg,
  ]
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  for (const title of [
    'Delay of the event loop',
    '`all` of 100,000 rows',
    '100,000 random gets',
    '10,000 sums of 500 rows',
    'One get, awaited',
  ])
    assert.ok(stdout.includes(`#### ${title}`), title)
  const { samples, failures } = JSON.parse(readFileSync(json, 'utf8'))
  assert.deepEqual(failures, [])
  assert.deepEqual(
    [...new Set(samples.map(({ task }) => task))],
    ['idle', 'query', 'iterate', 'all', 'all-cpu', 'gets', 'sums', 'get'],
  )
  assertWellFormed(readFileSync(svg, 'utf8'))
})

test('the tables show medians of the delay, and ratios to strongroom/async', () => {
  const sample = (task, configuration, figures, round = 0) => ({
    task,
    configuration,
    round,
    node: '24.0.0',
    ...figures,
  })
  const delay = (p99) => ({ p50: 1, p99, max: p99 * 2, wall: 1000 })
  const samples = [
    sample('idle', 'strongroom/async', delay(1.5)),
    ...[2, 4, 3].map((p99, round) => sample('query', 'strongroom/async', delay(p99), round)),
    sample('query', 'strongroom', delay(900)),
    sample('all-cpu', 'strongroom', { result: 20, collected: 30, process: 50 }),
    sample('all-cpu', 'strongroom/async', { result: 10, collected: 15, process: 60 }),
    sample('gets', 'strongroom/async', { wall: 12, cpu: 10, readers: 1 }),
    sample('gets', 'strongroom/async', { wall: 6, cpu: 11, readers: 2 }),
    sample('sums', 'strongroom/async', { wall: 90, cpu: 95, readers: 1 }),
    sample('sums', 'strongroom/async', { wall: 60, cpu: 96, readers: 2 }),
    sample('get', 'strongroom/async', { median: 15, p99: 40 }),
    sample('get', 'sqlite3', { median: 60, p99: 90 }),
  ]
  const text = tables({ samples }).join('\n')
  assert.match(text, /\| \*nothing runs\* \| 1\.5 \/ 3 \|/)
  assert.match(text, /\| strongroom\/async \| 3 \/ 6<br>1\.00 \| – \| – \|/)
  assert.match(text, /\| strongroom \| 900 \/ 1,800<br>300\.00 \|/)
  assert.match(text, /\| strongroom\/async \| 24\.0\.0 \| 10 \| 15 \| 60 \| 0\.50 \|/)
  assert.match(text, /\| strongroom\/async \| 2 \| 6 \| 11 \| 2\.00 \|/)
  assert.match(text, /\| strongroom\/async \| 2 \| 60 \| 96 \| 1\.50 \|/)
  assert.match(text, /\| strongroom\/async \| 15 \| 40 \| 0\.25 \|/)
  const svg = plot({ samples })
  assertWellFormed(svg)
  assert.match(svg, /900 \/ 1,800/)
})
