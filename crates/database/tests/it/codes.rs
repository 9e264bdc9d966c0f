//! Tests the list of error codes.

use strongroom_codec::CodecError;
use strongroom_database::{BackupError, ImageError, MigrateError, OpenError, SqlError, codes};
use strongroom_keys::KeyError;

#[test]
fn the_list_contains_the_codes_of_all_crates_and_of_sqlite() {
    let own = [
        OpenError::CODES,
        SqlError::CODES,
        KeyError::CODES,
        CodecError::CODES,
        BackupError::CODES,
        ImageError::CODES,
        MigrateError::CODES,
    ];
    for code in own.concat() {
        assert!(codes().contains(&code), "{code}");
    }
    for code in
        ["SQLITE_CONSTRAINT_UNIQUE", "SQLITE_IOERR_SHORT_READ", "SQLITE_PERM", "SQLITE_CANTOPEN_ISDIR"]
    {
        assert!(codes().contains(&code), "{code}");
    }
}

#[test]
fn the_list_contains_the_code_of_every_variant() {
    let path = || "a.db".into();
    let text = String::new;
    let system = || std::io::Error::other("a");
    let sqlite = || SqlError::Sqlite { code: "SQLITE_BUSY", message: text() };
    let open = [
        OpenError::EmptyPath,
        OpenError::NulInPath,
        OpenError::PathEncoding { path: path() },
        OpenError::MissingDirectory { path: path(), directory: path(), source: system() },
        OpenError::FileAsDirectory { path: path(), file: path(), source: system() },
        OpenError::MissingFile { path: path(), source: system() },
        OpenError::Directory { path: path() },
        OpenError::Permission { path: path(), source: system() },
        OpenError::System { path: path(), code: "SQLITE_CANTOPEN", message: text(), source: None },
        OpenError::WrongKey { path: path() },
        OpenError::NotEncrypted { path: path() },
        OpenError::NotADatabase { path: path(), length: 1, source: sqlite() },
        OpenError::Truncated { path: path(), length: 1, expected: 2 },
        OpenError::Damaged { path: path(), source: sqlite() },
        OpenError::Sqlite { path: path(), source: sqlite() },
        OpenError::Init { source: vendored_sys::InitError::OpenSsl },
    ];
    let sql = [
        SqlError::Sqlite { code: "SQLITE_ERROR", message: text() },
        SqlError::Function { function: "zstd_decompress", source: CodecError::NotAFrame { length: 1 } },
        SqlError::NotADatabase,
        SqlError::RoomForCipher,
        SqlError::PageAuthentication,
        SqlError::Closed,
        SqlError::Busy,
        SqlError::MultipleStatements,
        SqlError::NoStatement,
        SqlError::NulInSql { offset: 0 },
        SqlError::LongFunctionName { length: 256 },
        SqlError::LimitedChange { rewrite: "DELETE" },
        SqlError::ParameterIndex { index: 1, count: 0 },
        SqlError::TooBig { length: 1, limit: 0 },
        SqlError::InvalidUtf8 { index: 1 },
        SqlError::Running { index: 1 },
    ];
    let backup = [
        BackupError::EmptyPath,
        BackupError::UnknownDatabase { name: text() },
        BackupError::Source { name: text(), source: sqlite() },
        BackupError::MissingDirectory { path: path(), directory: path(), source: system() },
        BackupError::Directory { path: path() },
        BackupError::TargetIsSource { path: path() },
        BackupError::TargetInUse { path: path() },
        BackupError::TargetName { path: path(), ending: "-wal" },
        BackupError::Unsynced { path: path(), source: system() },
        BackupError::TargetHasJournal { path: path(), journal: path() },
        BackupError::TargetNotADatabase { path: path() },
        BackupError::System { path: path(), action: "create", file: path(), source: system() },
        BackupError::Open { path: path(), source: OpenError::EmptyPath },
        BackupError::Key { path: path(), source: KeyError::Empty },
        BackupError::Cancelled { path: path() },
        BackupError::Convert { path: path(), source: Box::new(MigrateError::InUse { path: path() }) },
        BackupError::Target { path: path(), source: sqlite() },
    ];
    let image = [
        ImageError::UnknownDatabase { name: text() },
        ImageError::NotEncrypted { name: text() },
        ImageError::NoRoom { name: text() },
        ImageError::OtherLayout { name: text(), wanted: 1, wanted_reserved: 1, page_size: 1, reserved: 1 },
        ImageError::Key { name: text(), source: KeyError::Empty },
        ImageError::Open { name: text(), source: OpenError::EmptyPath },
        ImageError::Sql { name: text(), source: sqlite() },
    ];
    let migrate = [
        MigrateError::Open(OpenError::EmptyPath),
        MigrateError::InUse { path: path() },
        MigrateError::Cancelled { path: path() },
        MigrateError::Encrypted { path: path() },
        MigrateError::NotADatabase { path: path(), length: 1 },
        MigrateError::EmptyFile { path: path() },
        MigrateError::NotAFile { path: path() },
        MigrateError::ReadOnly { path: path() },
        MigrateError::NotEncrypted { path: path() },
        MigrateError::KeepExists { path: path(), keep: path() },
        MigrateError::KeepName { path: path(), keep: path(), ending: "-wal" },
        MigrateError::KeepDirectory { path: path(), keep: path(), directory: path(), source: system() },
        MigrateError::Unsynced { path: path(), source: system() },
        MigrateError::TargetExists { path: path() },
        MigrateError::Full { path: path(), source: None },
        MigrateError::System { step: "read", path: path(), source: system() },
        MigrateError::MissingFunction { path: path(), name: text(), source: sqlite() },
        MigrateError::Table { path: path(), name: text(), source: sqlite() },
        MigrateError::Different { path: path(), what: text() },
        MigrateError::Sqlite { path: path(), source: sqlite() },
    ];
    let open = open.iter().map(OpenError::code).chain(sql.iter().map(SqlError::code));
    let copies = backup.iter().map(BackupError::code).chain(image.iter().map(ImageError::code));
    for code in open.chain(copies).chain(migrate.iter().map(MigrateError::code)) {
        assert!(codes().contains(&code), "{code}");
    }
}
