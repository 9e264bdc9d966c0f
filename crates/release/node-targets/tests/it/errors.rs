//! Tests that a mistake in the table gives a one-line error that names the target and the field.

use node_targets::parse;

const FLAG: &str = r#"{ "flag": "-g0", "platforms": ["linux-x64-musl"], "why": "size" }"#;

/// Returns the error for a table of two rows and a flag. The table is valid until `to` replaces `from` in the second
/// row or in the flag.
fn broken(from: &str, to: &str) -> String {
    let good = |triple: &str, platform: &str| {
        format!(
            r#"{{ "triple": "{triple}", "platform": "{platform}", "os": "linux", "cpu": "x64", "libc": "musl",
               "toolchain": "zig", "floor": "2.28", "buildHosts": ["x86_64-linux"] }}"#
        )
    };
    let first = good("x86_64-unknown-linux-gnu", "linux-x64-gnu").replace("musl", "glibc");
    let second = good("x86_64-unknown-linux-musl", "linux-x64-musl");
    let tail = format!(r#"{second}], "rustFlags": [], "cFlags": [{FLAG}] }}"#);
    assert!(tail.contains(from), "the table has no {from} to replace");
    let text = format!(r#"{{ "targets": [{first}, {}"#, tail.replacen(from, to, 1));
    if let Err(error) = parse(&text) {
        return error.to_string();
    }
    assert_eq!(from, to, "parse accepted the mistake");
    "no error".to_owned()
}

#[test]
fn each_error_is_one_line_that_names_target_and_field() {
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
        (
            r#""cpu": "x64""#,
            r#""cpu": "amd64""#,
            "unknown name `amd64`; known names: x64, arm64, arm, ia32, ",
        ),
        (
            r#""cpu": "x64""#,
            r#""cpu": "arm""#,
            "no Rust triple is known for the processor `arm`; add it to `rust_cpu` in \
             crates/release/node-targets/src/names.rs",
        ),
        ("zig", "tcc", "unknown variant `tcc`, expected one of `zig`, `pkgsCross`, `msvc`"),
        ("2.28", "new", "`new` is not a version: expected two or three numbers, as in 2.28"),
        (r#""cpu""#, r#""arch": 1, "cpu""#, "unknown field `arch`"),
        (
            r#""libc": "musl""#,
            r#""libc": null"#,
            "libc must be `glibc` or `musl` on linux, and null elsewhere",
        ),
        (
            "linux-x64-musl",
            "linux-musl-x64",
            "platform is `linux-musl-x64`, but os, cpu and libc require `linux-x64-musl`",
        ),
        (
            r#""cpu": "x64""#,
            r#""cpu": "arm64""#,
            "triple is `x86_64-unknown-linux-musl`, but os, cpu and libc require `aarch64-unknown-linux-musl`",
        ),
        (r#"["x86_64-linux"]"#, "[]", "buildHosts is empty; name the system that builds the release"),
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
fn a_flag_is_one_word_for_known_platforms_and_has_a_reason() {
    let label = "targets.json, cFlags";
    let cases = [
        (r#""size""#, r#"" ""#, ", `-g0`: `why` is empty; state in a sentence why the flag is needed"),
        ("-g0", "-g 0", ", `-g 0`: a flag must be one word; add one entry per flag"),
        (
            r#"["linux-x64-musl"]"#,
            r#"["linux-riscv64-musl"]"#,
            ", `-g0`: `platforms` names `linux-riscv64-musl`, which is not in `targets`",
        ),
        (r#", "why": "size""#, "", ": missing field `why`"),
        (r#""rustFlags": [], "#, "", "targets.json must be an object with exactly the arrays"),
    ];
    for (from, to, expected) in cases {
        let message = broken(from, to);
        let expected = if expected.starts_with("targets.json") {
            expected.to_owned()
        } else {
            format!("{label}{expected}")
        };
        assert!(message.starts_with(&expected), "{from} -> {to}: {message}");
    }
}

#[test]
fn a_duplicate_target_is_refused() {
    let text = include_str!("../../../../../targets.json");
    let row = text.lines().find(|line| line.contains("linux-x64-gnu")).unwrap();
    let message = parse(&text.replacen(row, &format!("{row}\n{row}"), 1)).unwrap_err().to_string();
    assert_eq!(
        message,
        "targets.json, target 2 (x86_64-unknown-linux-gnu): an earlier target has the same triple and platform; remove \
         one of them"
    );
}

#[test]
fn text_that_is_not_a_table_is_refused() {
    let message = parse("{").unwrap_err().to_string();
    assert!(message.starts_with("targets.json is not valid JSON: "), "{message}");
    for text in ["[]", "{}", r#"{"targets": {}}"#, r#"{"targets": []}"#, r#"{"targets": [1], "more": 1}"#] {
        assert!(
            parse(text).unwrap_err().to_string().contains("must be an object with exactly the arrays"),
            "{text}"
        );
    }
}
