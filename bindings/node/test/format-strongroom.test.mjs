import { runIn } from './formats.mjs'

await runIn('strongroom')
