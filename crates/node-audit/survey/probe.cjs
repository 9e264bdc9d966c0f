// Loads one addon into this Node and says in one line of JSON what came of it.
// usage: node probe.cjs ADDON
'use strict'

const say = (outcome) => require('node:fs').writeSync(1, `\nprobe: ${JSON.stringify(outcome)}\n`)
try {
  require(process.argv[2])
  say({ loads: true })
} catch (error) {
  say({ loads: false, text: String(error?.message ?? error) })
}
// At once: an addon's threads and handlers of exit are not what is asked.
process.reallyExit(0)
