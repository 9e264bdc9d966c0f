//! Changes keys for JavaScript.

use napi::{Env, JsValue, Unknown};
use napi_derive::napi;
use strongroom_database::RekeyProgress;

use crate::{
    database::NativeDatabase,
    error::{Failure, Outcome},
    handle::{self, Handle},
    key::NativeKey,
    row::{self, Integers},
};

#[napi]
impl NativeDatabase {
    /// Changes the key of the database `schema`. Calls `progress(done, total)`, which returns false to cancel the
    /// rekey.
    #[napi(catch_unwind)]
    pub fn rekey(
        &self,
        env: Env,
        schema: String,
        to: NativeKey,
        #[napi(ts_arg_type = "(done: number, total: number) => boolean")] progress: Unknown,
    ) -> napi::Result<()> {
        let rekey = || {
            let database = self.database();
            let key = to.key()?.ok_or_else(Failure::busy)?;
            let progress = progress.raw();
            let mut failure = None;
            let done = database.rekey(&schema, &key, &mut |now| {
                report(&env, progress, now).unwrap_or_else(|error| {
                    failure = Some(error);
                    false
                })
            });
            match (failure, done) {
                (Some(failure), _) => Err(failure),
                (None, done) => Ok(done?),
            }
        };
        rekey().map_err(|failure: Failure| failure.throw(&env))
    }
}

fn report(env: &Env, progress: Handle, now: RekeyProgress) -> Outcome<bool> {
    let _scope = handle::Scope::open(env)?;
    let number = |pages: u64| row::integer_value(env, pages.cast_signed(), Integers::Numbers);
    let answer = handle::call(env, progress, &[number(now.done)?, number(now.total)?])?;
    handle::boolean(env, answer)
}
