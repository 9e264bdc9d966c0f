import type { Platform } from './platforms'

/** One place where the addon was looked for, and what came of it. */
export interface Attempt {
  readonly place: 'override' | 'local' | 'package'
  /** What was loaded, as `require` takes it. */
  readonly from: string
  readonly platform?: Platform
  readonly error: unknown
}

/** An attempt, looked at. */
export interface Failure extends Attempt {
  readonly error: Error
  /** The file, where it is known. */
  readonly file: string | undefined
  /** Whether there is nothing to load. */
  readonly absent: boolean
}

/** A library was loaded, and is not the one that belongs to this package. */
export class WrongAddon extends Error {
  /** Its version, where it is an addon of strongroom. */
  readonly version: string | undefined

  constructor(message: string, version: string | undefined) {
    super(message)
    this.version = version
  }
}

/** Whether a package is there without the file that it consists of; Node then speaks of its "main" entry. */
export function noMain(error: Error): boolean {
  return error.message.includes('"main"')
}
