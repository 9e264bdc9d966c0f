/// <reference types="node" preserve="true" />
export type { BackupMetadata } from './api/backup'
export type { CheckProblem, CheckProgress, CheckResult } from './api/check'
export type { SqliteErrorCode } from './api/codes'
export { SqliteError } from './api/errors'
export type { CipherOptions, KeyOptions, OpenKeyOptions } from './api/key'
export type { RekeyProgress } from './api/rekey'
export type { BindArgument, BindValue, ColumnDefinition, Row, RunResult, SqlValue } from './api/values'
export { AsyncDatabase } from './async/database'
export { AsyncRowIterator } from './async/iterator'
export { open } from './async/open'
export type {
  AsyncBackupOptions,
  AsyncCheckOptions,
  AsyncParameters,
  AsyncPragmaOptions,
  AsyncRekeyOptions,
  CallOptions,
  OpenOptions,
  TransactionOptions,
} from './async/options'
export { AsyncSnapshot } from './async/reading'
export { AsyncStatement } from './async/statement'
export { AsyncTransaction } from './async/writing'
