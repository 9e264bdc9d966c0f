import type Database = require('../index')

import { printable } from './output'
import { table } from './table'

const KINDS: Record<Database.KeySlot['kind'], string> = {
  key: 'raw key',
  passphrase: 'passphrase',
  recovery: 'recovery code',
  unsupported: 'of a newer version',
}

/** Returns the key slots of a file as a table. */
export function slotTable(slots: readonly Database.KeySlot[]): string {
  const rows = slots.map(({ id, kind, created, current, label }) => [
    id,
    KINDS[kind],
    created?.toISOString().slice(0, 16).replace('T', ' ') ?? 'unknown',
    current ? 'yes' : '',
    label ?? '',
  ])
  return table(['ID', 'KIND', 'CREATED (UTC)', 'OPENED IT', 'LABEL'], rows)
}

/** Returns a key slot for a sentence: `5f3a9c0e7d214b86 (passphrase, "laptop")`. */
export function described({ id, kind, label }: Pick<Database.KeySlot, 'id' | 'kind' | 'label'>): string {
  return `${id} (${KINDS[kind]}${label === null ? '' : `, "${printable(label)}"`})`
}
