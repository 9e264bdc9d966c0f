//! Why a file could not be audited.

use std::path::Path;

/// A file that could not be audited.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The operating system refused.
    #[error("{file}: cannot be read: {source}")]
    Unreadable {
        /// The file.
        file: String,
        /// Its reason.
        source: std::io::Error,
    },
    /// A folder or an archive in which there is nothing to look at.
    #[error("{file}: no .node file in it{}", not_followed(*links))]
    NoAddon {
        /// The folder or archive.
        file: String,
        /// Links to folders outside of it, as package managers make them for the packages of a workspace.
        links: usize,
    },
    /// An archive that is damaged, exceeds a limit, or holds what npm does not pack.
    #[error("{file}: is no archive that can be audited: {damage}")]
    Archive {
        /// The archive.
        file: String,
        /// What is wrong, and with which entry.
        damage: String,
    },
    /// A package.json that is none; the addons of the package are looked at without it.
    #[error("{file}: {source}")]
    Manifest {
        /// The package.json.
        file: String,
        /// What is wrong.
        source: crate::ManifestError,
    },
    /// A link to an addon that is not among the files to look at.
    #[error("{file}: is a link to {target}, which was not looked at; name that file, too")]
    Link {
        /// The link.
        file: String,
        /// What it leads to.
        target: String,
    },
    /// A directory where a file was expected.
    #[error("{file}: is a directory, and no file")]
    Directory {
        /// The directory.
        file: String,
    },
    /// A pipe, a socket or a device.
    #[error("{file}: is no regular file")]
    Special {
        /// Its path.
        file: String,
    },
    /// More than [`crate::MAX_FILE`].
    #[error("{file}: is larger than {} MiB, the most that is read", crate::MAX_FILE >> 20)]
    TooLarge {
        /// The file.
        file: String,
    },
    /// The names in the files of an audit are kept up to its end, and would take too much memory.
    #[error("{file}: its names and those of the files before it take more than {} MiB; audit it by itself", crate::MAX_NAMES >> 20)]
    TooMuch {
        /// The file that was one too many.
        file: String,
    },
    /// Nothing in it.
    #[error("{file}: is empty")]
    Empty {
        /// The file.
        file: String,
    },
    /// A program of before Windows NT.
    #[error("{file}: is no addon: it is {program}; a DLL of today has a PE header")]
    OldProgram {
        /// The file.
        file: String,
        /// `a DOS program` or `a program for 16-bit Windows`.
        program: &'static str,
    },
    /// Neither ELF nor another format that an addon can have.
    #[error("{file}: is no addon: it begins with {start}, which no format of addons does")]
    NotAnAddon {
        /// The file.
        file: String,
        /// Its first bytes in hexadecimal.
        start: String,
    },
    /// A file whose tables make no sense: cut short, or damaged.
    #[error("{file}: is a damaged {format} file: {damage}")]
    Damaged {
        /// The file.
        file: String,
        /// `ELF`, `Mach-O` or `PE`.
        format: &'static str,
        /// What does not fit.
        damage: String,
    },
}

fn not_followed(links: usize) -> String {
    match links {
        0 => String::new(),
        links => format!("; links out of it are not followed ({links}): name the folder that they lead to"),
    }
}

/// A path as it is shown: control characters, which could rewrite the terminal, are escaped.
pub(crate) fn name(path: &Path) -> String {
    printable(path.as_os_str().as_encoded_bytes())
}

/// Bytes of unknown origin as one line of text.
pub(crate) fn printable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for character in String::from_utf8_lossy(bytes).chars() {
        match character {
            // Beside control characters, those that reorder the text around them, end a line, or are not seen at all.
            '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' => {
                text.extend(character.escape_unicode());
            }
            _ if character.is_control() => text.extend(character.escape_default()),
            _ => text.push(character),
        }
    }
    text
}

pub(crate) fn check_format(path: &Path, content: &[u8]) -> Result<(), AuditError> {
    let file = || name(path);
    let start = content.get(..4).unwrap_or(content);
    match start {
        [0x7f, b'E', b'L', b'F'] => Ok(()),
        [] => Err(AuditError::Empty { file: file() }),
        _ if crate::macho::begins(content) => Ok(()),
        [b'M', b'Z', ..] => match crate::pe::other_format(content) {
            Some(program) => Err(AuditError::OldProgram { file: file(), program }),
            None => Ok(()),
        },
        _ => {
            let start = start.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
            Err(AuditError::NotAnAddon { file: file(), start })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_or_moves_the_text_around_it_is_escaped() {
        let hidden = "\u{1b}\r\n\u{9b}\u{7f}\u{61c}\u{200b}\u{200f}\u{2028}\u{2029}\u{202e}\u{2066}\u{feff}";
        assert!(printable(hidden.as_bytes()).bytes().all(|byte| byte.is_ascii_graphic()));
        assert_eq!(printable("/\u{e4} \u{65e5}.node".as_bytes()), "/\u{e4} \u{65e5}.node");
        assert_eq!(printable(b"a\xff\nb"), "a\u{fffd}\\nb");
    }
}
