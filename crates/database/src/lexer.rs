//! Splits SQL into tokens, as far as finding keys and the end of a statement requires.

/// A token and its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) text: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword or a bare name.
    Word,
    /// A name or a string in any of SQLite's four kinds of quotes, closed or not.
    Quoted,
    /// A parameter: `?`, `?5`, `:a`, `@a`, `#a`, `$a` or `$a::b(c)`.
    Parameter,
    /// Any other single character.
    Other,
}

impl Token<'_> {
    /// Returns whether the token is this keyword.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Returns whether the token is this punctuation.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.kind == Kind::Other && self.text == text
    }

    /// Returns the token's name without quotes, in lower case.
    pub(crate) fn name(&self) -> Option<String> {
        match self.kind {
            // A misspelt pragma, such as `PRAGMA $key`, must not show its value either.
            Kind::Word | Kind::Parameter => Some(self.text.to_ascii_lowercase()),
            Kind::Quoted => {
                let inner = self.text.get(1..).unwrap_or_default();
                let inner = inner.strip_suffix(['"', '\'', '`', ']']).unwrap_or(inner);
                Some(inner.to_ascii_lowercase())
            }
            Kind::Other => None,
        }
    }
}

/// Returns the tokens of an SQL text, without blanks and comments.
pub(crate) fn tokens(sql: &str) -> Tokens<'_> {
    Tokens { sql, position: 0 }
}

/// Returns whether a text holds only blanks, comments and semicolons.
pub(crate) fn is_blank(sql: &str) -> bool {
    tokens(sql).all(|token| token.is(";"))
}

pub(crate) struct Tokens<'a> {
    sql: &'a str,
    position: usize,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_blanks();
        let start = self.position;
        let rest = &self.sql[start..];
        let first = rest.chars().next()?;
        let (kind, length) = match first {
            '\'' | '"' | '`' => (Kind::Quoted, quoted_length(rest, first)),
            '[' => (Kind::Quoted, rest.find(']').map_or(rest.len(), |end| end + 1)),
            '?' => (Kind::Parameter, 1 + rest[1..].bytes().take_while(u8::is_ascii_digit).count()),
            ':' | '@' | '#' | '$' if let Some(length) = parameter_length(rest) => (Kind::Parameter, length),
            _ if is_word_character(first) => {
                (Kind::Word, rest.find(|c| !is_word_character(c)).unwrap_or(rest.len()))
            }
            _ => (Kind::Other, first.len_utf8()),
        };
        self.position += length;
        Some(Token { kind, start, text: &rest[..length] })
    }
}

impl Tokens<'_> {
    fn skip_blanks(&mut self) {
        loop {
            let rest = &self.sql[self.position..];
            // SQLite's blanks, and the byte order mark, which SQLite skips at the start of a text.
            let blanks = rest.len()
                - rest.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r', '\u{feff}']).len();
            let rest = &rest[blanks..];
            let comment = if rest.starts_with("--") {
                rest.find('\n').map_or(rest.len(), |end| end + 1)
            } else if let Some(inner) = rest.strip_prefix("/*") {
                inner.find("*/").map_or(rest.len(), |end| end + 4)
            } else {
                0
            };
            self.position += blanks + comment;
            if comment == 0 {
                return;
            }
        }
    }
}

fn is_word_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '$') || !character.is_ascii()
}

/// Returns the length of a parameter with a name, or `None` if no name follows its sign. Source: `sqlite3GetToken`.
fn parameter_length(text: &str) -> Option<usize> {
    let mut named = false;
    let mut rest = text.get(1..)?;
    loop {
        if let Some(next) = rest.strip_prefix(is_word_character) {
            named = true;
            rest = next;
        } else if let Some(next) = rest.strip_prefix("::") {
            rest = next;
        } else {
            break;
        }
    }
    if named && let Some(inner) = rest.strip_prefix('(') {
        let end = inner.find([' ', '\t', '\n', '\x0b', '\x0c', '\r', ')'])?;
        rest = inner[end..].strip_prefix(')')?;
    }
    named.then_some(text.len() - rest.len())
}

/// Returns the length of a quoted string or name. A doubled quote does not end the string.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((index, character)) = characters.next() {
        if character == quote {
            match characters.peek() {
                Some((_, next)) if *next == quote => {
                    characters.next();
                }
                _ => return index + 1,
            }
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<&str> {
        tokens(sql).map(|token| token.text).collect()
    }

    #[test]
    fn blanks_and_comments_are_skipped() {
        assert_eq!(texts(" a -- b 'c\n /* d ; */e/**/f -- g"), ["a", "e", "f"]);
        assert_eq!(texts("/* never closed ; a"), [""; 0]);
        assert_eq!(texts("-- never ended"), [""; 0]);
        assert_eq!(texts("1 /"), ["1", "/"]);
        assert_eq!(texts("/*/ a */ b"), ["b"]);
    }

    #[test]
    fn a_quoted_text_is_one_token() {
        assert_eq!(
            texts("'it''s; a' \"b\"\"c\" [d;e] `f``g`"),
            ["'it''s; a'", "\"b\"\"c\"", "[d;e]", "`f``g`"]
        );
        assert_eq!(texts("'never closed ; x"), ["'never closed ; x"]);
        assert_eq!(texts("x'00'"), ["x", "'00'"]);
    }

    #[test]
    fn a_parameter_is_one_token() {
        assert_eq!(
            texts("?,?12,:a,@b$c,#d,$e::f(g,h),$é:i"),
            ["?", ",", "?12", ",", ":a", ",", "@b$c", ",", "#d", ",", "$e::f(g,h)", ",", "$é", ":i"]
        );
        assert_eq!(texts(": a @ $::a"), [":", "a", "@", "$::a"]);
        assert_eq!(texts("a$b :c(d e)"), ["a$b", ":", "c", "(", "d", "e", ")"]);
        assert_eq!(texts("'?' \"?\" -- ?"), ["'?'", "\"?\""]);
    }

    #[test]
    fn names_compare_equal_despite_quotes_and_case() {
        for text in ["KEY", "\"Key\"", "[key]", "`kEy`", "'key'"] {
            assert_eq!(tokens(text).next().unwrap().name().unwrap(), "key");
        }
    }

    #[test]
    fn a_blank_text_holds_no_statement() {
        for blank in ["", " \t\r\n", ";", " ; ;; -- a", "/* a */", "/* a", "--", "\u{feff}"] {
            assert!(is_blank(blank), "{blank:?}");
        }
        for text in ["a", ";a", "/", "-", "'", "--\na"] {
            assert!(!is_blank(text), "{text:?}");
        }
    }
}
