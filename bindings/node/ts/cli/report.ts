import { advice, inCommands } from './advice'
import { flags } from './cipher'
import { UsageError } from './command'
import { EXIT, exitCode } from './exit'
import { Interrupted } from './interrupt'
import { type Output, printableLines } from './output'
import { fitting } from './wrapped'

/** Prints an error, and returns the exit code. */
export function report(error: unknown, output: Output): number {
  const thrown = error instanceof Error ? error : new Error(String(error))
  const { code } = thrown as { code?: string }
  const exit = thrown instanceof Interrupted ? thrown.exit : exitCode(code)
  const help = thrown instanceof UsageError ? `See \`${thrown.help}\`.` : advice(code, thrown.message)
  const message = flags(inCommands(thrown.message), '')
  if (output.json) {
    const stack = output.debug ? { stack: thrown.stack } : {}
    const object = { error: { code: code ?? null, message, advice: help ?? null, exitCode: exit, ...stack } }
    process.stderr.write(`${JSON.stringify(object, undefined, 2)}\n`)
    return exit
  }
  const shown = code === undefined || exit === EXIT.usage || thrown instanceof Interrupted ? '' : ` (${code})`
  const texts = [`strongroom: ${printableLines(message)}${shown}`, ...(help === undefined ? [] : [help])]
  const lines = texts.map((text) => fitting(text, process.stderr))
  if (output.debug) lines.push(stackOf(thrown))
  process.stderr.write(`${lines.join('\n')}\n`)
  return exit
}

/** Returns the stack of an error and of its causes. */
function stackOf(error: Error): string {
  const own = printableLines(error.stack ?? String(error))
  return error.cause instanceof Error ? `${own}\nCaused by: ${stackOf(error.cause)}` : own
}
