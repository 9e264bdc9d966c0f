/** The advice for each code, in terms of the command line. */
const ADVICE: Readonly<Record<string, string>> = {}

/** Returns what to do about an error, or undefined if the message says enough. */
export function advice(_: Error, code: string | undefined): string | undefined {
  return ADVICE[code ?? '']
}
