//! Tests that damage to the pages of a file in the Strongroom format is an error that names the page and the file.

use std::ops::Range;

use strongroom_database::CheckProblemKind;

use crate::scratch::integer;
use crate::sealed_file::{HEADER, Model, Written, read, reopen};

/// The settings and the page size of each damaged file.
const FILES: [(u32, &str); 4] = [
    (1_024, "PRAGMA journal_mode = delete"),
    (1_024, "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = delete"),
    (4_096, "PRAGMA journal_mode = wal"),
    (1_024, "PRAGMA auto_vacuum = FULL; PRAGMA journal_mode = wal"),
];

/// Writes changed bytes, reads every row, and checks the file. Returns whether the query read the damaged page.
///
/// Reading is an error that names the page, or returns exactly the rows. `check` names the page.
fn assert_noticed(file: &Written, bytes: &[u8], page: usize, context: &str) -> bool {
    file.write(bytes);
    let path = file.scratch.path();
    let was_read = match read(&path) {
        Ok(rows) => {
            assert!(rows == file.model, "{context}: page {page}: wrong rows without an error");
            false
        }
        Err(refusal) => {
            refusal.assert_names(page, &path, context);
            true
        }
    };
    match reopen(&path) {
        Ok(database) => {
            let report = database.check("main", &mut |_| true).unwrap();
            let named = report.problems.iter().any(|problem| {
                problem.kind == CheckProblemKind::Page
                    && problem.page.is_some_and(|found| found as usize == page)
            });
            assert!(named, "{context}: page {page}: {:?}", report.problems);
        }
        Err(refusal) => {
            // Opening reads page 1 and the schema.
            refusal.assert_names(page, &path, context);
        }
    }
    was_read
}

/// Returns the offsets in a page at which bits are flipped: in the content, the nonce and the tag.
fn offsets(page_size: usize) -> [usize; 6] {
    [0, 16, page_size / 2, page_size - 41, page_size - 40, page_size - 1]
}

#[test]
fn a_flipped_bit_in_any_page_is_an_error_that_names_the_page() {
    for (page_size, settings) in FILES {
        let file = Written::new(page_size, settings);
        let mut read_pages = 0;
        for page in 1..=file.pages() {
            let mut was_read = false;
            for (number, offset) in offsets(file.page_size).into_iter().enumerate() {
                // All pages get one flip, and every third page gets all of them.
                if page % 3 != 0 && number != page % 6 {
                    continue;
                }
                let mut bytes = file.bytes.clone();
                bytes[file.page(page) + offset] ^= 1 << ((number + page) % 8);
                was_read |= assert_noticed(&file, &bytes, page, &format!("{settings}, byte {offset}"));
            }
            read_pages += usize::from(was_read);
        }
        println!("{settings}: {} pages, {read_pages} of them read by the query", file.pages());
        assert!(read_pages > 10 && read_pages <= file.pages());
        file.write(&file.bytes);
        assert!(read(&file.scratch.path()).unwrap() == file.model);
    }
}

#[test]
fn a_page_of_zeros_is_damage() {
    for (page_size, settings) in FILES {
        let file = Written::new(page_size, settings);
        for page in 1..=file.pages() {
            let mut bytes = file.bytes.clone();
            bytes[pages(&file, page..page + 1)].fill(0);
            assert_noticed(&file, &bytes, page, &format!("{settings}, zeros"));
        }
    }
}

fn pages(file: &Written, pages: Range<usize>) -> Range<usize> {
    file.page(pages.start)..file.page(pages.end)
}

#[test]
fn a_page_at_the_place_of_another_page_is_damage() {
    for (page_size, settings) in FILES {
        let file = Written::new(page_size, settings);
        for page in 2..file.pages() {
            let mut bytes = file.bytes.clone();
            bytes.copy_within(pages(&file, page + 1..page + 2), file.page(page));
            assert_noticed(&file, &bytes, page, &format!("{settings}, the page after it"));
        }
        // Two swapped pages: the error names either page.
        let mut bytes = file.bytes.clone();
        let second = bytes[pages(&file, 3..4)].to_vec();
        bytes.copy_within(pages(&file, 2..3), file.page(3));
        bytes[pages(&file, 2..3)].copy_from_slice(&second);
        file.write(&bytes);
        let error = read(&file.scratch.path()).unwrap_err();
        assert_eq!(error.code, "STRONGROOM_DAMAGED_PAGE", "{error:?}");
        let report = reopen(&file.scratch.path()).unwrap().check("main", &mut |_| true).unwrap();
        let named: Vec<_> = report.problems.iter().filter_map(|problem| problem.page).collect();
        assert!(named.contains(&2) && named.contains(&3), "{named:?}");
    }
}

/// Both files have the same key, but not the same data key and identity.
#[test]
fn a_page_of_another_file_is_damage() {
    for (page_size, settings) in FILES {
        let file = Written::new(page_size, settings);
        let other = Written::new(page_size, settings);
        assert_eq!((file.pages(), &file.model), (other.pages(), &other.model));
        for page in 1..=file.pages() {
            let range = pages(&file, page..page + 1);
            let mut bytes = file.bytes.clone();
            bytes[range.clone()].copy_from_slice(&other.bytes[range]);
            assert_noticed(&file, &bytes, page, &format!("{settings}, a page of another file"));
        }
        // The other file's header opens with the key, but its keys fit no page.
        let mut bytes = file.bytes.clone();
        bytes[..HEADER].copy_from_slice(&other.bytes[..HEADER]);
        file.write(&bytes);
        let path = file.scratch.path();
        read(&path).unwrap_err().assert_names(1, &path, "the header of another file");
    }
}

/// A file that was cut off inside or before its header holds no page, like a file whose creation was interrupted. All other
/// lengths are errors, unless every page that the query reads is still there.
#[test]
fn a_truncated_file_never_returns_wrong_rows() {
    for (page_size, settings) in FILES {
        let file = Written::new(page_size, settings);
        let path = file.scratch.path();
        let whole = file.bytes.len();
        let ends = (1..=file.pages()).flat_map(|page| [-1, 0, 1, 512].map(|by| file.page(page) as i64 + by));
        let lengths = ends.chain([0, 1, 15, 16, 100, 4_095, 4_096, 5_000, 8_191, whole as i64 - 1]);
        let (mut errors, mut unread) = (0, 0);
        for length in lengths.map(|length| usize::try_from(length).unwrap()).filter(|length| *length < whole)
        {
            file.write(&file.bytes[..length]);
            match read(&path) {
                Ok(rows) if length <= HEADER => assert_eq!(rows, Model::new(), "{settings}, {length} bytes"),
                Ok(rows) => {
                    assert!(rows == file.model, "{settings}, {length} bytes of {whole}: wrong rows");
                    unread += 1;
                }
                Err(refusal) => {
                    errors += 1;
                    // Without the whole magic, the format is not recognised.
                    let codes = match length {
                        0..16 => ["SQLITE_NOTADB"; 3],
                        _ => ["STRONGROOM_TRUNCATED", "STRONGROOM_DAMAGED_PAGE", "SQLITE_CORRUPT"],
                    };
                    assert!(codes.contains(&refusal.code.as_str()), "{settings}, {length}: {refusal:?}");
                }
            }
            // Neither reading nor checking repairs the file.
            if length > HEADER {
                let report = reopen(&path).map(|database| database.check("main", &mut |_| true).unwrap());
                assert!(report.is_err() || !report.unwrap().is_ok(), "{settings}, {length} bytes of {whole}");
            }
        }
        println!("{settings}: {errors} errors, {unread} lengths cut off unread pages only");
        assert!(errors > 60 && (unread == 0 || settings.contains("wal")), "{errors} {unread}");
    }
}

/// Damaged pages stay damaged: a query that does not read a page does not write it either.
#[test]
fn a_damaged_page_does_not_prevent_reading_another_table() {
    let file = Written::new(1_024, "CREATE TABLE other (a); INSERT INTO other VALUES (7)");
    let mut bytes = file.bytes.clone();
    // The last page is a leaf, an overflow page or a free page of the first table.
    let last = file.page(file.pages());
    bytes[last + 5] ^= 1;
    file.write(&bytes);
    let database = reopen(&file.scratch.path()).unwrap();
    assert_eq!(integer(&database, "SELECT a FROM other"), 7);
}
