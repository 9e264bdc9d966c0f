import type { Platform } from './platforms'

/** A failed attempt to load the addon from one place. */
export interface Attempt {
  readonly place: 'override' | 'local' | 'package'
  /** The argument of `require`, or the path of the file. */
  readonly from: string
  readonly platform?: Platform
  readonly error: unknown
}

/** An attempt with the reason for its failure. */
export interface Failure extends Attempt {
  readonly error: Error
  /** The path of the file, if it is known. */
  readonly file: string | undefined
  /** `true` if the file does not exist. */
  readonly absent: boolean
}

/** The error for a library that loads but is not this package's addon. */
export class WrongAddon extends Error {
  /** The library's version, if the library is an addon of Strongroom. */
  readonly version: string | undefined

  constructor(message: string, version: string | undefined) {
    super(message)
    this.version = version
  }
}

/** Returns whether a package lacks its file: Node's error then names the package's "main" entry. */
export function noMain(error: Error): boolean {
  return error.message.includes('"main"')
}
