#!/usr/bin/env node
// The program `strongroom`. package.json names the compiled file in `bin`.
import { main } from './main'

// A reader that ends early, such as `head`, closes the pipe. The rest of the output has no reader.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })

main(process.argv.slice(2)).then((code) => {
  // `process.exit` would cut off output that a pipe has not taken yet.
  process.exitCode = code
})
