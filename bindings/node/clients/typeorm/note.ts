import { EntitySchema } from 'typeorm'

export const Note = new EntitySchema<{ id: number; title: string; done: boolean }>({
  name: 'note',
  columns: {
    id: { type: 'integer', primary: true, generated: true },
    title: { type: 'text' },
    done: { type: 'boolean', default: false },
  },
})
