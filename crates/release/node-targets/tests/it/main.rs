//! Integration tests of node-targets, as one binary.

mod errors;
mod table;
