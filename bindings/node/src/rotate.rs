//! Rotations of the data key for JavaScript.

use std::{cell::Cell, env, path::PathBuf, time::Duration};

use napi::Env;
use napi_derive::napi;
use strongroom_database::{Rotation, RotationOptions};

use crate::{
    database::NativeDatabase,
    error::Failure,
    key::NativeKey,
    migrate::{NativeMigration, State},
    panic_request::panic_if_requested,
};

/// The options of a rotation. The TypeScript layer has checked each value and filled in the defaults.
#[napi(object, object_to_js = false)]
pub struct NativeRotationOptions {
    /// The secrets of the slots to keep.
    pub secrets: Vec<NativeKey>,
    /// `true` to drop the slots without a secret.
    pub drop_others: bool,
    /// The path under which the original is kept. Without a path, the original is not kept.
    pub keep: Option<String>,
    /// The time to wait for another connection's lock, in milliseconds.
    pub timeout: u32,
}

/// A rotation that can start once the connection is closed.
#[napi]
pub struct NativeRotation {
    /// `None` once the rotation has started.
    rotation: Cell<Option<Rotation>>,
}

#[napi]
impl NativeDatabase {
    /// Prepares a rotation of the main database's data key.
    #[napi(catch_unwind)]
    pub fn rotation(&self, env: Env, options: NativeRotationOptions) -> napi::Result<NativeRotation> {
        let prepare = || {
            let database = self.database();
            let mut secrets = Vec::with_capacity(options.secrets.len());
            for secret in &options.secrets {
                secrets.push(secret.key()?.ok_or_else(Failure::busy)?);
            }
            let rotation = database.rotation(RotationOptions {
                secrets,
                drop_others: options.drop_others,
                keep: options.keep.map(PathBuf::from),
                // The program may change its current folder while the rotation runs.
                folder: env::current_dir().ok(),
                timeout: Duration::from_millis(options.timeout.into()),
            })?;
            Ok(NativeRotation { rotation: Cell::new(Some(rotation)) })
        };
        prepare().map_err(|failure: Failure| failure.throw(&env))
    }
}

#[napi]
impl NativeRotation {
    /// Starts the rotation on its own thread. No connection may have the file open.
    #[napi(catch_unwind)]
    pub fn start(&self, env: Env) -> napi::Result<NativeMigration> {
        panic_if_requested();
        let start = || {
            let rotation = self.rotation.take().ok_or_else(Failure::busy)?;
            NativeMigration::start(move |progress| match rotation.run(progress) {
                Ok(rotated) => State::Converted(rotated.converted, rotated.dropped),
                Err(error) => State::NotRotated(error),
            })
        };
        start().map_err(|failure: Failure| failure.throw(&env))
    }
}
