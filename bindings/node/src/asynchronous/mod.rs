//! The threads that run statements for the asynchronous class.
//!
//! A database has a writer and any number of readers, each a connection on a thread of its own. JavaScript submits jobs
//! to queues ([`lane`]); a thread runs them in order and sends replies ([`reply`]); the bell ([`bell`]) wakes JavaScript,
//! which drains the replies ([`deliver`]). The threads never call Node-API, except to ring the bell. The TypeScript layer
//! decides which job goes to which queue; this module only keeps the order.

mod bell;
mod connection;
mod database;
#[expect(unsafe_code, reason = "the module calls Node-API")]
mod deliver;
#[expect(unsafe_code, reason = "the module calls Node-API")]
mod external;
#[expect(unsafe_code, reason = "the module calls Node-API")]
mod external_text;
#[expect(unsafe_code, reason = "the module calls Node-API")]
mod hub;
mod job;
mod lane;
mod long;
mod owned;
mod program;
mod reply;
mod rows;
mod run;
mod settings;
mod shared;
mod source;
mod sql;
mod statements;
#[expect(unsafe_code, reason = "the module calls Node-API")]
mod submit;
mod thread;
#[expect(unsafe_code, reason = "the module calls Node-API")]
mod threadsafe_function;
#[expect(unsafe_code, reason = "the module calls Node-API and libuv")]
mod uv;
mod values;
mod wiped;

pub use hub::asynchronous;
