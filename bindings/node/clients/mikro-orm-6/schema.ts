import { EntitySchema } from '@mikro-orm/core'

export const Note = new EntitySchema<{ id: number; title: string; done?: boolean }>({
  name: 'Note',
  properties: {
    id: { type: 'integer', primary: true },
    title: { type: 'string' },
    done: { type: 'boolean', default: false },
  },
})
