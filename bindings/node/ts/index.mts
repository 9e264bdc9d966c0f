import Database from './index.js'

export default Database
/** The class of the database's errors. Each error has a `code`. */
export const SqliteError: typeof Database.SqliteError = Database.SqliteError
export type SqliteError = Database.SqliteError

export type {
  AggregateOptions,
  AttachOptions,
  BackupMetadata,
  BackupOptions,
  BindArgument,
  BindValue,
  CheckOptions,
  CheckProblem,
  CheckProgress,
  CheckResult,
  CipherOptions,
  ColumnDefinition,
  Database,
  DecryptOptions,
  KeyOptions,
  MigrateKey,
  MigrateKeys,
  MigrateOptions,
  MigrateProgress,
  MigrateResult,
  Options,
  PragmaOptions,
  RegistrationOptions,
  RekeyOptions,
  RekeyProgress,
  Row,
  RunResult,
  SerializeOptions,
  SqliteErrorCode,
  SqlValue,
  Statement,
  Transaction,
  Versions,
  VirtualTableContext,
  VirtualTableOptions,
} from './index.js'
