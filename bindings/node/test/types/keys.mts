// The types of key slots.
import Database, {
  type KeySlot,
  type KeySlotLabelOptions,
  type KeySlotOptions,
  type KeySlotSecret,
  type KeySlots,
  type MigrateSource,
  type OpenKeyOptions,
  type RecoveryKeySlot,
  type RotateOptions,
  type RotateProgress,
  type RotateResult,
  type RotateSecret,
} from 'strongroom'
import { type Exact, equal } from './exact.mjs'

const key = Buffer.alloc(32)
const secret: OpenKeyOptions = { recovery: 'ABCD', slot: '0123456789abcdef' }
const db = new Database('x.db', secret)
new Database('x.db', { recovery: Buffer.from('ABCD') })
// @ts-expect-error a recovery code is a text
new Database('x.db', { recovery: true })
// @ts-expect-error the id of a slot is a string
new Database('x.db', { key, slot: 5 })
db.attach('y.db', 'y', { recovery: 'ABCD', slot: '0123456789abcdef' })
// @ts-expect-error a recovery code encrypts no file
db.rekey({ recovery: 'ABCD' })
// @ts-expect-error a recovery code encrypts no file
db.backup('copy.db', { recovery: 'ABCD' })
// @ts-expect-error a slot is only opened
db.serialize({ key, slot: '0123456789abcdef' })
const from: MigrateSource = { recovery: 'ABCD' }
Database.migrate('x.db', { from, to: { key } })
Database.decrypt('x.db', { from: { recovery: 'ABCD' } })
// @ts-expect-error a recovery code encrypts no file
Database.migrate('x.db', { from, to: { recovery: 'ABCD' } })
// @ts-expect-error a recovery code encrypts no file
Database.encrypt('x.db', { recovery: 'ABCD' })

equal<Exact<typeof db.keys, KeySlots>>(true)
equal<Exact<Database.KeySlots, KeySlots>>(true)
// @ts-expect-error the property is read-only
db.keys = new Database('y.db').keys
const options: KeySlotOptions = { attached: 'y' }
const slots: KeySlot[] = db.keys.list(options)
equal<Exact<ReturnType<typeof db.keys.list>, KeySlot[]>>(true)
db.keys.list()
db.keys.list(null)
const [slot] = slots
if (slot !== undefined) {
  equal<Exact<typeof slot.kind, 'key' | 'passphrase' | 'recovery' | 'unsupported'>>(true)
  equal<Exact<typeof slot.label, string | null>>(true)
  equal<Exact<typeof slot.created, Date | null>>(true)
  const removed: KeySlot = db.keys.remove(slot.id, options)
  console.log(removed)
}

const label: KeySlotLabelOptions = { label: 'x', attached: 'y' }
const added = db.keys.add({ key, ...label })
equal<Exact<typeof added, KeySlot>>(true)
const paper = db.keys.add({ recovery: true })
equal<Exact<typeof paper, RecoveryKeySlot>>(true)
equal<Exact<typeof paper.code, string>>(true)
const either: KeySlotSecret = Math.random() < 0.5 ? { passphrase: 'p' } : { recovery: true }
const one: KeySlot = db.keys.add(either)
console.log(one)
// @ts-expect-error only a recovery code has a code
console.log(added.code)
// @ts-expect-error a slot has a secret
db.keys.add({ label: 'x' })
// @ts-expect-error a slot has one secret
db.keys.add({ key, passphrase: 'p' })
// @ts-expect-error a slot has one secret
db.keys.add({ key, recovery: true })
const code: string = db.keys.generateRecoveryCode()
const own = db.keys.add({ recovery: code })
equal<Exact<typeof own, KeySlot>>(true)
db.keys.change(own.id, { recovery: Buffer.from(code) })
// @ts-expect-error a recovery code is a text, or true
db.keys.add({ recovery: false })
// @ts-expect-error a slot has no cipher options
db.keys.add({ passphrase: 'p', kdfIter: 5 })
// @ts-expect-error the id is a string
db.keys.remove(added)

equal<Exact<ReturnType<typeof db.keys.remove>, KeySlot>>(true)
const relabelled = db.keys.change(added.id, { label: null })
equal<Exact<typeof relabelled, KeySlot>>(true)
const renewed = db.keys.change(added.id, { recovery: true, label: 'x' })
equal<Exact<typeof renewed, RecoveryKeySlot>>(true)
const changed: KeySlot = db.keys.change(added.id, { passphrase: Buffer.from('p'), attached: 'y' })
console.log(changed)
// @ts-expect-error a change needs a description
db.keys.change(added.id)

const secrets: RotateSecret[] = [{ key }, { passphrase: 'p' }, { recovery: 'ABCD' }]
const rotateOptions: RotateOptions = {
  secrets,
  dropOthers: true,
  keep: 'old.db',
  timeout: 100,
  signal: new AbortController().signal,
  progress: ({ done, total }: RotateProgress) => done < total,
}
const rotated = db.keys.rotate(rotateOptions)
equal<Exact<typeof rotated, Promise<RotateResult>>>(true)
rotated.then(({ dropped }) => equal<Exact<typeof dropped, KeySlot[]>>(true))
db.keys.rotate()
// @ts-expect-error a recovery code is a text here
db.keys.rotate({ secrets: [{ recovery: true }] })
// @ts-expect-error there is no such option
db.keys.rotate({ attached: 'y' })
