import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HELP, parseArguments, UsageError } from '../arguments.mjs'

test('without arguments, every option has its default', () => {
  const { rounds, scale, metric, build, builds, jobs, filter } = parseArguments([])
  assert.deepEqual(
    { rounds, scale, metric, build, builds, jobs },
    {
      rounds: 4,
      scale: 1,
      metric: 'cpu',
      build: true,
      builds: [],
      jobs: 1,
    },
  )
  assert.ok(filter.test('anything'))
})

test('--strongroom takes a name and a folder', () => {
  const { builds } = parseArguments(['--strongroom', 'before=/a=b', '--strongroom=after=../c'])
  assert.deepEqual(builds, [
    { name: 'before', folder: '/a=b' },
    { name: 'after', folder: '../c' },
  ])
})

test('--instructions runs one round, and --jobs sets the number of processes', () => {
  const { metric, rounds, jobs } = parseArguments(['--instructions', '--jobs', '3'])
  assert.deepEqual({ metric, rounds, jobs }, { metric: 'instructions', rounds: 1, jobs: 3 })
})

test('an error names the argument and its value', () => {
  const refuses = (args, message) => assert.throws(() => parseArguments(args), { constructor: UsageError, message })
  refuses(['--rounds', '0'], '--rounds must be a whole number above 0, not "0"')
  refuses(['--rounds', '1.5'], '--rounds must be a whole number above 0, not "1.5"')
  refuses(['--scale', 'big'], '--scale must be a number above 0, not "big"')
  refuses(['--scale', ''], '--scale must be a number above 0, not ""')
  refuses(['--filter', '('], /^--filter is not a regular expression: .*\(/)
  refuses(['--group', 'all'], '--group must be plain or encrypted, not "all"')
  refuses(['--strongroom', '/a'], '--strongroom must be NAME=DIR, not "/a"')
  refuses(['--wall', '--instructions'], '--wall and --instructions cannot be combined: leave out one of them')
  refuses(['--jobs', '2'], '--jobs needs --instructions')
  refuses(['--profiles', 'x'], '--profiles needs --instructions')
  refuses(['--readme', '--strongroom', 'a=b'], '--readme measures this checkout: leave out --strongroom')
  refuses(['--readme', '--instructions'], '--readme needs times: leave out --instructions')
  refuses(['--unknown'], /^Unknown option '--unknown'/)
  refuses(['extra'], /^Unexpected argument 'extra'/)
  refuses(['--json'], /--json/)
})

test('the help lists the options', () => {
  for (const name of [
    'filter',
    'peers',
    'rounds',
    'json',
    'svg',
    'base',
    'strongroom',
    'instructions',
    'readme',
    'wall',
  ])
    assert.match(HELP, new RegExp(`^  --${name}\\b`, 'm'))
})
