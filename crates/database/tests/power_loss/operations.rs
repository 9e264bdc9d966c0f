//! The operations of a workload other than transactions.

use std::ops::ControlFlow;
use std::time::Duration;

use strongroom_database::{BackupKey, KeySlotError, Migration, RotationOptions, SlotChange, migrate};

use crate::access::{Access, FORMATS, FileFormat};
use crate::setup::{DELETE_EXTRA, DELETE_FULL, Mode, PERSIST_FULL, TRUNCATE_FULL, WAL_FULL, WAL_NORMAL};
use crate::workload::{Copy, Workload};

impl Workload<'_> {
    pub(super) fn checkpoint(&mut self) -> Result<(), String> {
        let kind = self.random.pick(&["PASSIVE", "FULL", "RESTART", "TRUNCATE"]);
        for file in 0..self.files.len() {
            let schema = self.files[file].schema;
            let row = self.row(&format!("PRAGMA {schema}.wal_checkpoint({kind})"))?;
            // The numbers of frames in the log and of frames that are in the file are equal: the whole log is.
            if self.mode.is_wal() && row[0] == "0" && row[1] == row[2] {
                self.files[file].ledger.settle();
            }
            self.expect();
        }
        Ok(())
    }

    pub(super) fn vacuum(&mut self) -> Result<(), String> {
        let mut file = self.random.below(self.files.len());
        if self.files[file].access.format != self.files[0].access.format {
            // SQLCipher does not vacuum an attached database whose pages reserve other bytes than the main database's.
            file = 0;
        }
        self.sql(&format!("VACUUM {}", self.files[file].schema))?;
        if !self.mode.is_wal() {
            // The last transaction is now the VACUUM.
            self.files[file].ledger.settle();
            self.expect();
        }
        Ok(())
    }

    /// Copies the main database, which may have a backup already, with its own key or with another one.
    pub(super) fn back_up(&mut self) -> Result<(), String> {
        let (keys, key) = match self.random.below(3) {
            0 | 1 => (self.files[0].slots.clone(), BackupKey::Source),
            _ => {
                let format = self.random.pick(&FORMATS);
                let access = self.new_access(format);
                let key = access.key(Some(self.setup.page_size));
                (vec![access], key.map_or(BackupKey::Plain, BackupKey::Key))
            }
        };
        let state = self.files[0].ledger.current();
        let place = match self.copies.iter().position(|copy| copy.name.as_os_str() == "backup.db") {
            Some(place) => place,
            None => {
                self.copies.push(Copy {
                    name: "backup.db".into(),
                    states: Vec::new(),
                    keys: Vec::new(),
                    optional: true,
                });
                self.copies.len() - 1
            }
        };
        self.copies[place].states.push(state);
        if !self.copies[place].keys.contains(&keys) {
            self.copies[place].keys.push(keys.clone());
        }
        self.expect();
        let mut backup = self
            .database()
            .backup("main", &self.root.join("backup.db"), key)
            .map_err(|error| error.to_string())?;
        while !backup.step(4).map_err(|error| error.to_string())?.copied {}
        let copied = backup.finish().map_err(|error| error.to_string())?;
        copied.install(|_| ControlFlow::Continue(())).map_err(|error| error.to_string())?;
        self.copies[place] =
            Copy { name: "backup.db".into(), states: vec![state], keys: vec![keys], optional: false };
        self.expect();
        Ok(())
    }

    pub(super) fn rekey(&mut self) -> Result<(), String> {
        let file = self.random.below(self.files.len());
        let old = self.files[file].access;
        if old.format == FileFormat::Plain {
            return Ok(());
        }
        let new = self.new_access(old.format);
        let slots = self.with_slot(file, Some(old), Some(new));
        let key = new.key(Some(self.setup.page_size)).expect("the format has a key");
        let schema = self.files[file].schema;
        self.database().rekey(schema, &key, &mut |_| true).map_err(|error| error.to_string())?;
        self.files[file].access = new;
        self.changed_keys(file, slots);
        if old.format == FileFormat::SqlCipher {
            // A rekey writes every page in a transaction that is synced in each mode.
            self.files[file].ledger.settle();
        }
        self.expect();
        Ok(())
    }

    /// A change of keys begins, which removes or adds a slot. Returns the keys after the change.
    fn with_slot(&mut self, file: usize, removed: Option<Access>, added: Option<Access>) -> Vec<Access> {
        let kept = self.files[file].slots.iter().copied().filter(|access| Some(*access) != removed);
        let slots: Vec<Access> = kept.chain(added).collect();
        self.begin_keys(file, &slots);
        slots
    }

    fn begin_keys(&mut self, file: usize, slots: &[Access]) {
        let file = &mut self.files[file];
        file.refused.retain(|access| !slots.contains(access));
        file.keys.push(slots.to_owned());
        self.expect();
    }

    /// The file has new keys, and no other key opens it any more.
    fn changed_keys(&mut self, file: usize, slots: Vec<Access>) {
        let file = &mut self.files[file];
        let old = file.keys.drain(..).flatten().filter(|access| !slots.contains(access));
        file.refused.extend(old);
        file.refused.dedup();
        file.keys = vec![slots.clone()];
        file.slots = slots;
        self.expect();
    }

    /// Adds a key slot, changes another one, and removes one.
    pub(super) fn change_slots(&mut self) -> Result<(), String> {
        let file = self.random.below(self.files.len());
        let main = self.files[file].access;
        if main.format != FileFormat::Strongroom {
            return Ok(());
        }
        let schema = self.files[file].schema;
        let failed = |error: KeySlotError| error.to_string();
        let mut ids = Vec::new();
        for _ in 0..2 {
            let added = self.new_access(FileFormat::Strongroom);
            let slots = self.with_slot(file, None, Some(added));
            let key = added.key(None).expect("the format has a key");
            let slot = self.database().add_key_slot(schema, &key, Some("added")).map_err(failed)?;
            ids.push((slot.id, added));
            self.changed_keys(file, slots);
        }
        let [(first, first_key), (second, second_key)] = ids[..] else { return Ok(()) };
        let changed = self.new_access(FileFormat::Strongroom);
        let slots = self.with_slot(file, Some(first_key), Some(changed));
        let key = changed.key(None).expect("the format has a key");
        let change = SlotChange { key: Some(&key), label: Some(None) };
        self.database().change_key_slot(schema, first, &change).map_err(failed)?;
        self.changed_keys(file, slots);
        let slots = self.with_slot(file, Some(second_key), None);
        self.database().remove_key_slot(schema, second).map_err(failed)?;
        self.changed_keys(file, slots);
        Ok(())
    }

    /// Gives the main file a new data key, and drops the slots of other keys.
    pub(super) fn rotate(&mut self) -> Result<(), String> {
        let access = self.files[0].access;
        if access.format != FileFormat::Strongroom {
            return Ok(());
        }
        let keeps = self.random.chance(50);
        let others = self.files[0].slots.iter().filter(|slot| keeps && **slot != access);
        let secrets: Vec<_> = others.clone().filter_map(|slot| slot.key(None)).collect();
        let slots: Vec<Access> = [access].into_iter().chain(others.copied()).collect();
        let options = RotationOptions { secrets, drop_others: true, ..RotationOptions::default() };
        let rotation = self.database().rotation(options).map_err(|error| error.to_string())?;
        self.close()?;
        self.begin_keys(0, &slots);
        rotation.run(&mut |_| ControlFlow::Continue(())).map_err(|error| error.to_string())?;
        self.files[0].ledger.settle();
        self.changed_keys(0, slots);
        self.open()
    }

    /// Converts the main file to another format or key.
    pub(super) fn migrate(&mut self) -> Result<(), String> {
        if self.files[0].ledger.current().commit == 0 {
            // An empty file cannot be converted.
            return Ok(());
        }
        self.close()?;
        let old = self.files[0].access;
        let format = self.random.pick(&FORMATS);
        let new = match (old.format, format) {
            (FileFormat::Plain, FileFormat::Plain) => self.new_access(FileFormat::Strongroom),
            _ => self.new_access(format),
        };
        let keep = self.random.chance(30).then(|| self.root.join(format!("kept-{}.db", self.keys)));
        let state = self.files[0].ledger.current();
        let name = keep.as_ref().map(|keep| keep.file_name().expect("the path has a name").into());
        if let Some(name) = name.clone() {
            let states = self.files[0].ledger.states();
            let keys = vec![self.files[0].slots.clone()];
            self.copies.push(Copy { name, states, keys, optional: true });
        }
        self.begin_keys(0, &[new]);
        let [from, to] = [old, new].map(|access| access.key(Some(self.setup.page_size)));
        let path = self.path(0);
        let migration = Migration {
            path: &path,
            folder: None,
            from: from.as_ref(),
            to: to.as_ref(),
            keep: keep.as_deref(),
            timeout: Duration::ZERO,
        };
        migrate(&migration, &mut |_| ControlFlow::Continue(())).map_err(|error| error.to_string())?;
        self.files[0].access = new;
        self.files[0].ledger.settle();
        if name.is_some()
            && let Some(kept) = self.copies.last_mut()
        {
            (kept.states, kept.optional) = (vec![state], false);
        }
        self.changed_keys(0, vec![new]);
        self.open()
    }

    /// Changes between a rollback journal and a log, commits, and changes back.
    pub(super) fn switch_mode(&mut self) -> Result<(), String> {
        let back = self.mode;
        let others: &[Mode] = match back.is_wal() {
            true => &[DELETE_EXTRA, DELETE_FULL, TRUNCATE_FULL, PERSIST_FULL],
            false => &[WAL_FULL, WAL_NORMAL, TRUNCATE_FULL, PERSIST_FULL],
        };
        let mut other = self.random.pick(others);
        if other == WAL_NORMAL && !self.setup.safe_overwrite {
            other = WAL_FULL;
        }
        for mode in [other, back] {
            let leaves_log = self.mode.is_wal() != mode.is_wal();
            self.mode = mode;
            self.set_mode()?;
            if leaves_log {
                // From WAL, the log is moved into the file first. To WAL, another transaction follows the last one.
                self.files.iter_mut().for_each(|file| file.ledger.settle());
            }
            self.expect();
            self.perform("transaction")?;
            self.operation = "journal mode";
            self.expect();
        }
        Ok(())
    }
}
