import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Rounds } from '../rounds.mjs'

const configurations = [{ name: 'a' }, { name: 'b' }, { name: 'secret', cipher: 'sqlcipher' }]
const workloads = [
  { name: 'first', count: 100, fixture: 'messages' },
  { name: 'second', count: 10, groups: ['plain'], rounds: 1 },
]
const silent = { show() {}, note() {}, end() {} }

/** Runs rounds with `answer` as a stub for the processes. Returns the rounds and the requests. */
async function runRounds({ answer, rounds = 2, jobs = 1, controller = new AbortController() }) {
  const requests = []
  const run = async (request) => {
    requests.push(request)
    return answer(request) ?? { answer: {} }
  }
  const options = { rounds, jobs, scale: 0.5, metric: 'cpu' }
  const measured = new Rounds({ run, options, progress: silent, signal: controller.signal })
  const complete = await measured.measure(configurations, workloads)
  return { measured, requests, complete }
}

const measure = ({ task, configuration }) =>
  task === 'measure' ? { answer: { cpu: configuration.name.length, checksum: '1' } } : { answer: { sqlite: '3' } }

test('each configuration runs in each round, in reverse order every other round', async () => {
  const { measured, requests, complete } = await runRounds({ answer: measure })
  assert.equal(complete, true)
  assert.deepEqual(
    measured.samples.map(({ round, workload, configuration }) => `${round} ${workload} ${configuration}`),
    [
      '0 first a',
      '0 first b',
      '0 first secret',
      '0 second a',
      '0 second b',
      '1 first secret',
      '1 first b',
      '1 first a',
    ],
  )
  assert.deepEqual(
    measured.described.map(({ name, sqlite }) => `${name} ${sqlite}`),
    ['a 3', 'b 3', 'secret 3'],
  )
  const fixtures = requests.filter(({ task }) => task === 'fixture')
  assert.deepEqual(
    fixtures.map(({ configuration, count }) => [configuration.name, count]),
    configurations.map(({ name }) => [name, 50_000]),
  )
  assert.equal(requests.find(({ workload }) => workload === 'first').count, 50)
})

test('a failed workload is reported and not retried, and the other steps continue', async () => {
  const failure = { what: 'was killed by SIGSEGV', stderr: 'oh' }
  const fails = ({ task, configuration, workload }) =>
    task === 'measure' && configuration.name === 'b' && workload === 'first'
  const { measured, requests } = await runRounds({
    answer: (request) => (fails(request) ? { failure } : measure(request)),
  })
  assert.deepEqual(measured.failures, [{ configuration: 'b', workload: 'first', ...failure }])
  assert.equal(requests.filter(fails).length, 1)
  assert.equal(measured.samples.filter(({ configuration }) => configuration === 'b').length, 1)
  assert.equal(measured.samples.filter(({ configuration }) => configuration === 'a').length, 3)
})

test('a configuration that does not load is left out', async () => {
  const failure = { what: 'ended with exit code 1', stderr: 'no prebuilt binary' }
  const { measured } = await runRounds({
    answer: (request) => (request.configuration.name === 'a' ? { failure } : measure(request)),
  })
  assert.deepEqual(measured.failures, [{ configuration: 'a', ...failure }])
  assert.deepEqual(
    measured.described.map(({ name }) => name),
    ['b', 'secret'],
  )
})

test('a fixture that cannot be built fails the workloads that read it', async () => {
  const failure = { what: 'ended with exit code 1', stderr: 'disk full' }
  const { measured } = await runRounds({
    answer: (request) =>
      request.task === 'fixture' && request.configuration.name === 'a' ? { failure } : measure(request),
  })
  assert.deepEqual(measured.failures, [
    {
      configuration: 'a',
      workload: 'first',
      what: 'cannot build the file that the workload reads: ended with exit code 1',
      stderr: 'disk full',
    },
  ])
  assert.ok(measured.samples.some(({ configuration, workload }) => configuration === 'a' && workload === 'second'))
})

test('a workload that a configuration cannot run is not a failure', async () => {
  const { measured, requests } = await runRounds({
    answer: (request) =>
      request.workload === 'first' && request.configuration.name === 'a'
        ? { answer: { lacks: 'has no iterator' } }
        : measure(request),
  })
  assert.deepEqual(measured.lacking, [{ configuration: 'a', workload: 'first', why: 'has no iterator' }])
  assert.deepEqual(measured.failures, [])
  assert.equal(
    requests.filter(({ workload, configuration }) => workload === 'first' && configuration.name === 'a').length,
    1,
  )
})

test('an interruption keeps the results so far, and is not a failure', async () => {
  const controller = new AbortController()
  let count = 0
  const { measured, complete } = await runRounds({
    controller,
    answer(request) {
      if (request.task !== 'measure') return measure(request)
      count += 1
      if (count < 3) return measure(request)
      controller.abort()
      return { failure: { what: 'was killed by SIGKILL', stderr: '' } }
    },
  })
  assert.equal(complete, false)
  assert.equal(measured.samples.length, 2)
  assert.deepEqual(measured.failures, [])
})

test('several jobs share the steps, but no files', async () => {
  const { measured, requests } = await runRounds({ answer: measure, jobs: 3 })
  assert.equal(measured.samples.length, 8)
  assert.equal(requests.filter(({ task }) => task === 'fixture').length, 3)
  const files = new Set(requests.filter(({ task }) => task === 'measure').map(({ file }) => file))
  assert.equal(files.size, 3)
})
