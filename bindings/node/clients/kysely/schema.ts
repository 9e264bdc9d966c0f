import type { Generated } from 'kysely'

export interface Tables {
  notes: { id: Generated<number>; title: string; done: Generated<number> }
}
