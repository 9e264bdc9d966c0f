//! Recovery codes: their texts, and the errors of those who type them.

use std::collections::HashSet;

use strongroom_keys::{
    CODE_LENGTH, CipherParameters, Key, KeyError, PageKeys, RecoveryCode, RecoveryCodeProblem, SlotId,
};

/// The characters of codes, by BIP-173.
const ALPHABET: &str = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";

/// The code of the bytes `88` to `97`, in docs/format.md, which BIP-350's algorithm in Python computed.
const DOCUMENTED: &str = "3ZYC-4ZUV-3K8G-LYY3-J2FE-F9VK-JUUM-63GN";

/// The code of the bytes `a0` to `af`, by the same program.
const OTHER: &str = "5ZS6-9GAY-5KN2-029F-4246-ETDW-4UUQ-Q6ZL";

fn text(code: &RecoveryCode) -> String {
    String::from_utf8(code.expose_text().to_vec()).unwrap()
}

fn problem(text: &str) -> RecoveryCodeProblem {
    match RecoveryCode::parse(text) {
        Err(KeyError::RecoveryCode { problem }) => problem,
        other => panic!("{text}: {other:?}"),
    }
}

/// Codes with their characters, without hyphens: two fixed codes and random ones.
fn codes() -> Vec<Vec<char>> {
    let mut codes = vec![DOCUMENTED.to_owned(), OTHER.to_owned()];
    codes.extend((0..3).map(|_| text(&RecoveryCode::generate().unwrap())));
    codes.into_iter().map(|code| code.chars().filter(|character| *character != '-').collect()).collect()
}

#[test]
fn the_documented_code_has_the_documented_bytes() {
    for (fixed, bytes) in [(DOCUMENTED, 0x88..=0x97), (OTHER, 0xa0..=0xaf)] {
        let code = RecoveryCode::parse(fixed).unwrap();
        assert!(code.expose_bytes().iter().copied().eq(bytes));
        assert_eq!(text(&code), fixed);
    }
}

#[test]
fn a_code_has_eight_groups_of_four_characters_of_the_alphabet() {
    let mut seen = HashSet::new();
    for _ in 0..100 {
        let code = RecoveryCode::generate().unwrap();
        assert_eq!(code.expose_bytes().len(), CODE_LENGTH);
        let text = text(&code);
        let groups: Vec<&str> = text.split('-').collect();
        assert!(groups.len() == 8 && groups.iter().all(|group| group.len() == 4), "{}", groups.len());
        assert!(groups.concat().chars().all(|character| ALPHABET.contains(character)));
        assert_eq!(RecoveryCode::parse(&text).unwrap().expose_bytes(), code.expose_bytes());
        assert!(seen.insert(text));
    }
    let first: HashSet<char> = seen.iter().filter_map(|text| text.chars().next()).collect();
    assert!(first.len() > 10, "the codes are not random");
}

#[test]
fn case_spaces_dashes_and_characters_that_look_alike_make_no_difference() {
    for code in codes() {
        let text: String = code.iter().collect();
        let expected = RecoveryCode::parse(&text).unwrap();
        let spaced: String =
            code.iter().map(|character| format!(" \t{character}-\u{a0}\u{2013}\r\n")).collect();
        let mixed: String = code
            .iter()
            .enumerate()
            .map(|(index, character)| match index % 2 {
                0 => character.to_ascii_lowercase(),
                _ => *character,
            })
            .collect();
        let alike = |from: char, to: char| text.replace(from, &to.to_string());
        for typed in [
            text.to_lowercase(),
            spaced,
            mixed,
            alike('L', '1'),
            alike('L', 'i'),
            alike('L', 'I'),
            alike('0', 'o'),
            alike('0', 'O'),
        ] {
            let read = RecoveryCode::parse(&typed).unwrap();
            assert!(read.expose_bytes() == expected.expose_bytes());
        }
    }
    assert!(OTHER.contains('L') && OTHER.contains('0'), "the test replaces nothing");
}

#[test]
fn every_substitution_is_a_typing_error() {
    for code in codes() {
        for position in 0..32 {
            for other in ALPHABET.chars().filter(|other| *other != code[position]) {
                let mut typed = code.clone();
                typed[position] = other;
                assert_eq!(
                    problem(&String::from_iter(typed)),
                    RecoveryCodeProblem::Checksum,
                    "{position} {other}"
                );
            }
        }
    }
}

#[test]
fn every_swap_of_two_characters_is_a_typing_error() {
    for code in codes() {
        let mut swaps = 0;
        for first in 0..31 {
            for second in first + 1..32 {
                let mut typed = code.clone();
                typed.swap(first, second);
                if typed == code {
                    continue;
                }
                swaps += usize::from(second == first + 1);
                assert_eq!(
                    problem(&String::from_iter(typed)),
                    RecoveryCodeProblem::Checksum,
                    "{first} {second}"
                );
            }
        }
        assert!(swaps > 20, "{swaps} neighbours differ");
    }
}

/// BIP-173 promises the detection of up to four wrong characters.
#[test]
fn up_to_four_wrong_characters_are_a_typing_error() {
    let alphabet: Vec<char> = ALPHABET.chars().collect();
    let code = &codes()[0];
    for round in 0..4000_usize {
        let mut typed = code.clone();
        for error in 0..2 + round % 3 {
            let position = (round * 7 + error * (1 + round % 11)) % 32;
            let place = alphabet.iter().position(|character| *character == code[position]).unwrap();
            typed[position] = alphabet[(place + 1 + (round * 13 + error * 5) % 31) % 32];
        }
        assert_ne!(typed, *code);
        assert_eq!(problem(&String::from_iter(typed)), RecoveryCodeProblem::Checksum, "{round}");
    }
}

#[test]
fn a_wrong_number_of_characters_is_named() {
    let code: String = codes()[0].iter().collect();
    for length in (0..32).chain(33..70) {
        let typed: String = code.chars().cycle().take(length).collect();
        assert_eq!(problem(&typed), RecoveryCodeProblem::Length { actual: length });
    }
    let long = "Q".repeat(1 << 20);
    assert_eq!(problem(&long), RecoveryCodeProblem::Length { actual: 1 << 20 });
    let message = RecoveryCode::parse("  QPZR-").unwrap_err().to_string();
    assert!(message.contains("the code has 4 of 32 characters"), "{message}");
    assert_eq!(problem(" - "), RecoveryCodeProblem::Length { actual: 0 });
}

#[test]
fn an_invalid_character_is_named_with_its_place() {
    let code = &codes()[0];
    // `ı` and `ſ` are the lower case of ASCII letters in some languages; the last one has the code of `q` modulo 256.
    for character in ['b', 'B', '!', '_', '\0', '\u{7f}', 'é', 'ı', 'ſ', '\u{0171}', '🔑'] {
        for index in [0, 3, 4, 17, 31] {
            let mut typed = code.clone();
            typed[index] = character;
            let typed: String = typed
                .iter()
                .enumerate()
                .map(|(index, character)| match index % 5 {
                    4 => format!(" {character}"),
                    _ => character.to_string(),
                })
                .collect();
            let position = index + 1;
            assert_eq!(problem(&typed), RecoveryCodeProblem::Character { character, position });
        }
    }
    let error = RecoveryCode::parse("QPZR Y9B8").unwrap_err();
    assert_eq!(error.code(), "STRONGROOM_RECOVERY_CODE");
    let message = error.to_string();
    assert!(message.contains("'B' is not a character of a code (character 7, in group 2)"), "{message}");
}

#[test]
fn an_error_shows_nothing_of_a_code() {
    let mut typed = codes()[0].clone();
    typed.swap(0, 1);
    let typed: String = typed.iter().collect();
    let error = RecoveryCode::parse(&typed).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("the check characters do not match"), "{shown}");
    for start in 0..typed.len() - 4 {
        assert!(!shown.contains(&typed[start..start + 4]), "{shown}");
    }
    assert_eq!(format!("{:?}", RecoveryCode::generate().unwrap()), "RecoveryCode(..)");
}

#[test]
fn a_recovery_code_is_a_key_that_sqlcipher_never_gets() {
    let code = RecoveryCode::generate().unwrap();
    let key = Key::recovery_code(&code);
    assert!(key.is_recovery_code());
    assert_eq!(key.expose_recovery_code(), Some(code.expose_bytes()));
    assert_eq!((key.expose_raw(), key.expose_passphrase()), (None, None));
    assert_eq!(format!("{key:?}"), "Key(..)");
    assert!(matches!(key.expose_for_sqlcipher(), Err(KeyError::RecoveryCodeForSqlCipher)));
    assert!(matches!(PageKeys::derive(&key, &[1; 16]), Err(KeyError::RecoveryCodeForSqlCipher)));
    let key = key.with_cipher(CipherParameters::default()).unwrap().with_slot(SlotId([1; 8]));
    assert_eq!(key.expose_for_sqlcipher().unwrap_err().code(), "STRONGROOM_KEY_RECOVERY");
    for other in [Key::raw(&[7; 32]).unwrap(), Key::passphrase(b"a").unwrap()] {
        assert!(!other.is_recovery_code() && other.expose_recovery_code().is_none());
    }
}
