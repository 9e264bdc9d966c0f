//! Attaches databases for JavaScript.

use std::path::PathBuf;

use napi::Env;
use napi_derive::napi;
use strongroom_database::{AttachKey, AttachOptions, Location};

use crate::{database::NativeDatabase, error::Failure, key::NativeKey};

/// The options of an attached database. The TypeScript layer has checked each value and filled in the defaults.
#[napi(object, object_to_js = false)]
pub struct NativeAttachOptions {
    /// The path of the file. Without a path, the database is in memory.
    pub path: Option<String>,
    /// The key. The default is the key of the main database.
    pub key: Option<NativeKey>,
    /// `true` to use no key.
    pub plain: bool,
    /// `true` to refuse every change.
    pub readonly: bool,
    /// `true` to refuse to create the file.
    pub must_exist: bool,
}

#[napi]
impl NativeDatabase {
    /// Attaches a database and checks its key.
    #[napi(catch_unwind)]
    pub fn attach(&self, env: Env, name: String, options: NativeAttachOptions) -> napi::Result<()> {
        let attach = || {
            let database = self.database();
            let path = options.path.as_ref().map(PathBuf::from);
            let location = path.as_deref().map_or(Location::Memory, Location::File);
            let key = options.key.as_ref().map(NativeKey::key).transpose()?.flatten();
            let key = match &key {
                Some(key) => AttachKey::Key(key),
                None if options.plain => AttachKey::Plain,
                None => AttachKey::OfMain,
            };
            let options = AttachOptions { key, read_only: options.readonly, must_exist: options.must_exist };
            Ok(database.attach(location, &name, &options)?)
        };
        attach().map_err(|failure: Failure| failure.throw(&env))
    }

    /// Detaches a database.
    #[napi(catch_unwind)]
    pub fn detach(&self, env: Env, name: String) -> napi::Result<()> {
        self.database().detach(&name).map_err(|error| Failure::from(error).throw(&env))
    }
}
