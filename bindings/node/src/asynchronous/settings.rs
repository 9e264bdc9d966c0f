//! The settings of connections, which readers take over from the writer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The statements that set something of a connection, such as `PRAGMA cache_size = -2000`.
#[derive(Default)]
pub(crate) struct Settings {
    /// The number of the newest statement.
    newest: AtomicU64,
    list: Mutex<Vec<Setting>>,
}

struct Setting {
    number: u64,
    sql: String,
}

impl Settings {
    /// Adds a statement, which replaces an earlier statement that sets the same thing.
    pub(crate) fn add(&self, sql: String) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain(|known| subject(&known.sql) != subject(&sql));
        let number = self.newest.load(Ordering::Relaxed) + 1;
        list.push(Setting { number, sql });
        self.newest.store(number, Ordering::Release);
    }

    /// Returns the statements that were added after the statement `applied`, and sets `applied` to the newest one.
    pub(crate) fn newer(&self, applied: &mut u64) -> Vec<String> {
        if self.newest.load(Ordering::Acquire) == *applied {
            return Vec::new();
        }
        let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = list.iter().filter(|setting| setting.number > *applied);
        let statements = newer.map(|setting| setting.sql.clone()).collect();
        *applied = list.last().map_or(*applied, |setting| setting.number);
        statements
    }
}

/// Returns the part of a PRAGMA before the value.
fn subject(sql: &str) -> String {
    sql.split(['=', '(']).next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_runs_each_newer_setting_once_and_the_last_value_only() {
        let settings = Settings::default();
        let mut applied = 0;
        assert_eq!(settings.newer(&mut applied), Vec::<String>::new());
        for sql in ["PRAGMA cache_size = 1", "PRAGMA mmap_size(0)", "pragma CACHE_SIZE=2"] {
            settings.add(sql.to_owned());
        }
        assert_eq!(settings.newer(&mut applied), ["PRAGMA mmap_size(0)", "pragma CACHE_SIZE=2"]);
        assert_eq!(settings.newer(&mut applied), Vec::<String>::new());
        settings.add("PRAGMA cache_size = 3".to_owned());
        assert_eq!(settings.newer(&mut applied), ["PRAGMA cache_size = 3"]);
        assert_eq!(settings.newer(&mut 0), ["PRAGMA mmap_size(0)", "PRAGMA cache_size = 3"]);
    }
}
