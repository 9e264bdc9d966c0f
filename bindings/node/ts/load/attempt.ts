import type { Platform } from './platforms'

/** A failed attempt to load the addon from one place. */
export interface Attempt {
  readonly place: 'override' | 'local' | 'package'
  /** The argument of `require`. */
  readonly from: string
  readonly platform?: Platform
  readonly error: unknown
}

/** An attempt with the reason of its failure. */
export interface Failure extends Attempt {
  readonly error: Error
  /** The file, if it is known. */
  readonly file: string | undefined
  /** Whether the file does not exist. */
  readonly absent: boolean
}

/** A library loaded that is not the addon of this package. */
export class WrongAddon extends Error {
  /** The library's version, if it is an addon of strongroom. */
  readonly version: string | undefined

  constructor(message: string, version: string | undefined) {
    super(message)
    this.version = version
  }
}

/** Whether a package lacks its file: Node's error then names the package's "main" entry. */
export function noMain(error: Error): boolean {
  return error.message.includes('"main"')
}
