//! Memory that is wiped before it is freed.

use std::ops::Deref;

use strongroom_database::SqlError;
use zeroize::{DefaultIsZeroes, Zeroize};

use crate::error::{Failure, Outcome};

/// A slice that is wiped when it is dropped.
///
/// A `Zeroizing<Box<[U]>>` wipes one element after another, which takes several times longer.
pub(super) struct Wiped<U: DefaultIsZeroes>(Box<[U]>);

impl<U: DefaultIsZeroes> Wiped<U> {
    /// Creates zeros, which `fill` overwrites.
    ///
    /// # Errors
    ///
    /// Fails if memory runs out. A stored value can be a large part of the machine's memory.
    pub(super) fn new(length: usize, fill: impl FnOnce(&mut [U])) -> Outcome<Self> {
        let mut units = Vec::new();
        units.try_reserve_exact(length).map_err(|_| out_of_memory())?;
        units.resize(length, U::default());
        let mut units = Self(units.into_boxed_slice());
        fill(&mut units.0);
        Ok(units)
    }

    /// Copies a slice.
    ///
    /// # Errors
    ///
    /// Fails if memory runs out.
    pub(super) fn copy(slice: &[U]) -> Outcome<Self> {
        let mut units = Vec::new();
        units.try_reserve_exact(slice.len()).map_err(|_| out_of_memory())?;
        units.extend_from_slice(slice);
        Ok(Self(units.into_boxed_slice()))
    }
}

/// Returns SQLite's error for a lack of memory.
#[cold]
pub(super) fn out_of_memory() -> Failure {
    SqlError::Sqlite { code: "SQLITE_NOMEM", message: "out of memory".to_owned() }.into()
}

impl<U: DefaultIsZeroes> Deref for Wiped<U> {
    type Target = [U];

    fn deref(&self) -> &[U] {
        &self.0
    }
}

impl<U: DefaultIsZeroes> Drop for Wiped<U> {
    fn drop(&mut self) {
        (*self.0).zeroize();
    }
}
