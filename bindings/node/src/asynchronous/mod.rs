//! The threads that run statements for the asynchronous class.

#[expect(unsafe_code, reason = "the module calls Node-API")]
mod external_text;
mod owned;
mod rows;
mod values;
mod wiped;
