//! Sets the key of a connection that is being opened, without reading its pages.

use std::sync::Arc;

use strongroom_format::Unlocked;
use strongroom_keys::Key;

use super::{MAIN, Opened};
use crate::cipher::{Cipher, CipherFailure};
use crate::seam::Core;
use crate::strongroom::{self, NewFile};
use crate::{Location, OpenError};

impl Opened {
    /// Sets the connection's key and cipher parameters without reading the file.
    pub(crate) fn unlock(&mut self, location: Location<'_>, key: &Key) -> Result<(), OpenError> {
        self.unlock_new(location, key, NewFile::of(key))
    }

    /// Sets the connection's key and cipher parameters without reading the file, which has the given page size. A new file
    /// gets the given format.
    pub(crate) fn unlock_new(
        &mut self,
        location: Location<'_>,
        key: &Key,
        new: NewFile,
    ) -> Result<(), OpenError> {
        let set = Cipher::new(&self.core, MAIN, key, new).and_then(|cipher| {
            let cipher = cipher.with_page_size(new.page_size);
            cipher.apply(&self.core, MAIN)?;
            Ok(cipher.parameters.effective_page_size())
        });
        self.page_size = Some(set.map_err(|failure| failure.into_open_error(location))?);
        Ok(())
    }

    /// Sets the keys of a file in the Strongroom format that has the given header, and writes the header of a new file.
    pub(crate) fn unlock_with_header(
        &mut self,
        location: Location<'_>,
        header: &Arc<Unlocked>,
    ) -> Result<(), OpenError> {
        self.unlock_by(location, |core| strongroom::create_with_header(core, MAIN, header))
    }

    /// Sets the keys of an existing file in the Strongroom format with the credential that has opened it before.
    pub(crate) fn unlock_again(
        &mut self,
        location: Location<'_>,
        before: &Unlocked,
    ) -> Result<(), OpenError> {
        self.unlock_by(location, |core| strongroom::unlock_again(core, MAIN, before).map(Arc::new))
    }

    fn unlock_by(
        &mut self,
        location: Location<'_>,
        unlock: impl FnOnce(&Core) -> Result<Arc<Unlocked>, CipherFailure>,
    ) -> Result<(), OpenError> {
        let set = unlock(&self.core).and_then(|unlocked| {
            let cipher = Cipher::of_unlocked(unlocked);
            cipher.apply(&self.core, MAIN)?;
            Ok(cipher.parameters.effective_page_size())
        });
        self.page_size = Some(set.map_err(|failure| failure.into_open_error(location))?);
        Ok(())
    }
}
