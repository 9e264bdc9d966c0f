// Kills processes that write through the asynchronous class, in three formats and two journal modes.
//
// STRONGROOM_TEST_KILL_POINTS is the number of kills in each combination: 12 by default, 200 in `cargo xtask test --long`.
import { test } from 'node:test'
import { killOften } from './kills.mjs'
import { freshPath } from './temporary.mjs'

const KILLS = Number(process.env.STRONGROOM_TEST_KILL_POINTS ?? 12)

for (const format of ['plain', 'sqlcipher', 'strongroom'])
  for (const journal of ['wal', 'delete'])
    test(`a killed writer loses no commit and tears none: ${format}, ${journal}, ${KILLS} kills`, async (context) => {
      const key = format === 'plain' ? undefined : Buffer.alloc(32, 0x5a)
      const commits = await killOften({ path: freshPath(), key, format, journal, kills: KILLS })
      context.diagnostic(`${commits} commits, 0 lost, 0 torn`)
    })
