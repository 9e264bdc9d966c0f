#!/usr/bin/env node
// The program `strongroom`. package.json names the compiled file in `bin`.
import { main } from './main'

// The callback of each write reports a failure of standard output, and nobody reads a report about standard error.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

main(process.argv.slice(2)).then((code) => {
  // `process.exit` would cut off output that a pipe has not taken yet.
  process.exitCode = code
})
