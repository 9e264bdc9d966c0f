//! The function that gives jobs to threads.
//!
//! As in `calls.rs`, the function uses raw Node-API, because a napi-derive class converts every argument of every call.

use std::sync::Arc;

use napi::{Env, sys};

use crate::asynchronous::external;
use crate::asynchronous::hub::Hub;
use crate::asynchronous::job::{Call, Flags, Job};
use crate::asynchronous::owned::OwnedParameters;
use crate::asynchronous::shared::Shared;
use crate::asynchronous::sql::Sql;
use crate::calls::guarded;
use crate::error::Outcome;
use crate::handle::{self, Handle};

/// The number of arguments before the values: the database, the lane, the ticket, the flags, the limit and the SQL.
const FIXED: usize = 6;
/// The largest number of arguments that a call reads without an allocation.
const FEW: usize = FIXED + 10;

/// The function `submit(database, lane, ticket, flags, limit, sql, ...values)`.
pub(super) unsafe extern "C" fn submit(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    guarded(env, |env| {
        handle::with_arguments::<FEW, _>(&env, info, FIXED, |arguments, hub| {
            // SAFETY: the data comes from `asynchronous`, and is live while the function runs.
            push(&env, unsafe { &*hub.cast::<Hub>() }, arguments)?;
            Ok(None)
        })
    })
}

fn push(env: &Env, hub: &Hub, arguments: &[Handle]) -> Outcome<()> {
    let &[database, lane, ticket, flags, limit, sql, ref values @ ..] = arguments else {
        return Err(napi::Error::from_reason("a call lacks arguments").into());
    };
    // SAFETY: the handle comes from `NativeAsyncDatabase::handle`: the TypeScript layer passes no other handle. The value
    // is live as long as the handle, which is an argument.
    let database = unsafe { &*handle::external_data(env, database)?.cast::<Shared>() };
    let sql = match handle::type_of(env, sql)? {
        // SAFETY: as above, from `NativeSql::handle`.
        sys::ValueType::napi_external => Some(unsafe { external::read::<Sql>(env, sql)? }),
        _ => None,
    };
    let (kind, flags) = Flags::parse(handle::number(env, flags)?)?;
    let names = sql.as_ref().map_or(&[][..], |sql: &Arc<Sql>| &sql.shape.parameters);
    let call = Call {
        kind,
        flags,
        limit: handle::number(env, limit)?,
        values: OwnedParameters::read(env, &hub.exchange, names, values)?,
        sql,
    };
    let job = Job::Call(call);
    if !job.is_silent() {
        hub.bell.made();
    }
    database.push(handle::int32(env, lane)?, handle::number(env, ticket)?, job)
}
