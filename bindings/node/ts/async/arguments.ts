import { boolean, type Given, integer, oneOf, optionsObject } from '../api/arguments'
import { argumentType } from '../api/errors'
import { openRequest } from '../api/options'
import { mainThread } from './errors'
import { isSignal } from './parameters'
import type { AsyncOpenRequest } from './session'
import type { Behavior } from './transaction-scope'

const DEFAULT_READERS = 2
const MAX_READERS = 16
const DEFAULT_QUEUE = 10_000
/** In milliseconds. */
const DEFAULT_WARNING = 5000
/** The longest time of a timer, in milliseconds. */
const LONGEST = 0x7fff_ffff

const OPEN_NAMES: readonly string[] = ['readers', 'maxQueue', 'transactionWarning', 'signal']
const SIGNAL: readonly string[] = ['signal']

/** Checks the arguments of `open`, and fills in the defaults. */
export function asyncOpenRequest(
  path: unknown,
  options: unknown,
): { request: AsyncOpenRequest; signal: AbortSignal | undefined } {
  const request = openRequest(path, options, OPEN_NAMES)
  const given = (options ?? {}) as Given
  if (request.verbose !== undefined) throw mainThread('the option "verbose"')
  const signal = signalOption(given)
  const own = {
    readers: integer(given, 'readers', { min: 0, max: MAX_READERS }) ?? DEFAULT_READERS,
    maxQueue: integer(given, 'maxQueue', { min: 1, max: LONGEST }) ?? DEFAULT_QUEUE,
    transactionWarning: integer(given, 'transactionWarning', { min: 0, max: LONGEST }) ?? DEFAULT_WARNING,
  }
  return { request: Object.assign(request, own), signal }
}

/** Returns the signal in the options of a call. */
export function signalOf(options: unknown, position: string): AbortSignal | undefined {
  if (options === undefined || options === null) return undefined
  return signalOption(optionsObject(options, SIGNAL, position))
}

/** Returns the option `signal`. */
export function signalOption(given: Given): AbortSignal | undefined {
  const signal = given['signal'] ?? undefined
  if (signal !== undefined && !isSignal(signal)) throw argumentType('Expected the "signal" option to be an AbortSignal')
  return signal
}

/** Returns the options of `pragma`. */
export function pragmaOptions(options: unknown): { simple: boolean; signal: AbortSignal | undefined } {
  const given = optionsObject(options, ['simple', 'signal'])
  return { simple: boolean(given, 'simple'), signal: signalOption(given) }
}

/** Returns the options of `transaction`. */
export function transactionOptions(options: unknown): {
  behavior: Behavior | undefined
  signal: AbortSignal | undefined
} {
  const given = optionsObject(options, ['behavior', 'signal'])
  return {
    behavior: oneOf(given, 'behavior', ['deferred', 'immediate', 'exclusive']),
    signal: signalOption(given),
  }
}

/** Returns the callback of `transaction` or `read`. */
export function callbackArgument(work: unknown): (argument: unknown) => unknown {
  if (typeof work !== 'function') throw argumentType('Expected first argument to be a function')
  return work as (argument: unknown) => unknown
}
