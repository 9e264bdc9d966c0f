//! Tables with a mistake in them: one line each, naming the target and the field.

use node_targets::parse;

/// A table of two good rows, the second with a piece of its text replaced.
fn broken(from: &str, to: &str) -> String {
    let good = |triple: &str, platform: &str| {
        format!(
            r#"{{ "triple": "{triple}", "platform": "{platform}", "os": "linux", "cpu": "x64", "libc": "musl",
               "toolchain": "zig", "floor": "2.28", "buildHost": "x86_64-linux", "sqliteFlags": [] }}"#
        )
    };
    let first = good("x86_64-unknown-linux-gnu", "linux-x64-gnu").replace("musl", "glibc");
    let second = good("x86_64-unknown-linux-musl", "linux-x64-musl");
    assert!(second.contains(from), "{from} is not there to be replaced");
    let text = format!(r#"{{ "targets": [{first}, {}] }}"#, second.replacen(from, to, 1));
    if let Err(error) = parse(&text) {
        return error.to_string();
    }
    assert_eq!(from, to, "a mistake went unnoticed");
    "no error".to_owned()
}

#[test]
fn each_mistake_is_one_line_that_names_target_and_field() {
    assert_eq!(broken("zig", "zig"), "no error");
    let label = "targets.json, target 2 (x86_64-unknown-linux-musl): ";
    let cases = [
        (r#""cpu": "x64","#, "", "missing field `cpu`"),
        (r#""libc": "musl","#, "", "missing field `libc`"),
        (r#""floor": "2.28","#, "", "missing field `floor`"),
        (
            r#""os": "linux""#,
            r#""os": "beos""#,
            "unknown variant `beos`, expected one of `linux`, `darwin`, `win32`",
        ),
        ("zig", "tcc", "unknown variant `tcc`, expected one of `zig`, `cross`, `sdk`, `msvc`"),
        ("2.28", "new", "`new` is no version: expected two or three numbers, as in 2.28"),
        (r#""cpu""#, r#""arch": 1, "cpu""#, "unknown field `arch`"),
        (
            r#""libc": "musl""#,
            r#""libc": null"#,
            "libc must be `glibc` or `musl` on linux, and null elsewhere",
        ),
        (
            "linux-x64-musl",
            "linux-musl-x64",
            "platform is `linux-musl-x64`, but os, cpu and libc make it `linux-x64-musl`",
        ),
        (
            r#""cpu": "x64""#,
            r#""cpu": "arm64""#,
            "triple is `x86_64-unknown-linux-musl`, but os, cpu and libc make it `aarch64-unknown-linux-musl`",
        ),
    ];
    for (from, to, expected) in cases {
        let message = broken(from, to);
        assert!(message.starts_with(&format!("{label}{expected}")), "{from} -> {to}: {message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    let message = broken(r#""triple": "x86_64-unknown-linux-musl","#, "");
    assert_eq!(message, "targets.json, target 2 (no triple): missing field `triple`");
}

#[test]
fn a_second_row_of_the_same_target_is_refused() {
    let text = include_str!("../../../../targets.json");
    let row = text.lines().find(|line| line.contains("linux-x64-gnu")).unwrap();
    let message = parse(&text.replacen(row, &format!("{row}\n{row}"), 1)).unwrap_err().to_string();
    assert_eq!(
        message,
        "targets.json, target 2 (x86_64-unknown-linux-gnu): an earlier target has the same triple and platform"
    );
}

#[test]
fn a_text_that_is_no_table_is_refused() {
    let message = parse("{").unwrap_err().to_string();
    assert!(message.starts_with("targets.json is no valid JSON: "), "{message}");
    for text in ["[]", "{}", r#"{"targets": {}}"#, r#"{"targets": []}"#, r#"{"targets": [1], "more": 1}"#] {
        assert!(parse(text).unwrap_err().to_string().contains("must be an object with one key"), "{text}");
    }
}
