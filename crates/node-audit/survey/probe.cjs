// Loads one addon into this Node, and prints the outcome as a line of JSON.
// usage: node probe.cjs ADDON
'use strict'

const say = (outcome) => require('node:fs').writeSync(1, `\nprobe: ${JSON.stringify(outcome)}\n`)
try {
  require(process.argv[2])
  say({ loads: true })
} catch (error) {
  say({ loads: false, text: String(error?.message ?? error) })
}
// Ends the process without waiting for the addon's threads and exit handlers: the survey tests only loading.
process.reallyExit(0)
