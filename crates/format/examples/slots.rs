//! Changes the key slots of a file in the Strongroom format that no process has open.
//!
//!     slots FILE KEY add (key HEX | passphrase TEXT | recovery "") LABEL
//!     slots FILE KEY change ID (key HEX | passphrase TEXT | recovery "")
//!     slots FILE KEY remove ID
//!
//! KEY is the raw key of a slot, in hexadecimal. The program prints a JSON object with the slot's id, and with the code of a
//! new recovery code. It takes no locks and does not sync: the engine does both. Secrets on a command line are visible to
//! other users, so the program is for experiments and tests.

use std::error::Error;
use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};

use strongroom_format::{HEADER_LENGTH, Header, NewSlot, Unlocked};
use strongroom_keys::{Key, RecoveryCode, SlotId};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [file, key, rest @ ..] = &arguments[..] else { return Err("pass FILE, KEY and an action".into()) };
    let mut file = OpenOptions::new().read(true).write(true).open(file)?;
    let mut header = vec![0; HEADER_LENGTH];
    file.read_exact(&mut header)?;
    let unlocked = Header::read(&header)?.unlock(&raw_key(key)?)?;
    let (changed, id, code) = change(&unlocked, rest)?;
    for offset in changed.write_order() {
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(changed.copy_bytes())?;
    }
    match code {
        Some(code) => println!(r#"{{"id": "{id}", "code": "{}"}}"#, str::from_utf8(&code.expose_text())?),
        None => println!(r#"{{"id": "{id}"}}"#),
    }
    Ok(())
}

/// Returns the changed header, the slot, and the code of a new recovery code.
fn change(
    unlocked: &Unlocked,
    action: &[&str],
) -> Result<(Unlocked, SlotId, Option<RecoveryCode>), Box<dyn Error>> {
    match action {
        ["add", kind, secret, label] => {
            let (new, code) = new_slot(kind, secret)?;
            let (changed, id) = unlocked.with_slot_added(&new, Some(label))?;
            Ok((changed, id, code))
        }
        ["change", id, kind, secret] => {
            let (id, (new, code)) = (id.parse()?, new_slot(kind, secret)?);
            Ok((unlocked.with_slot_changed(id, Some(&new), None)?, id, code))
        }
        ["remove", id] => {
            let id = id.parse()?;
            Ok((unlocked.with_slot_removed(id)?, id, None))
        }
        _ => Err("the action is add, change or remove, with its arguments".into()),
    }
}

fn new_slot(kind: &str, secret: &str) -> Result<(NewSlot, Option<RecoveryCode>), Box<dyn Error>> {
    Ok(match kind {
        "key" => (NewSlot::derive(&raw_key(secret)?)?, None),
        "passphrase" => (NewSlot::derive(&Key::passphrase(secret.as_bytes())?)?, None),
        "recovery" => {
            let code = RecoveryCode::generate()?;
            (NewSlot::derive(&Key::recovery_code(&code))?, Some(code))
        }
        _ => return Err("the secret is key, passphrase or recovery".into()),
    })
}

fn raw_key(digits: &str) -> Result<Key, Box<dyn Error>> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| Ok(u8::from_str_radix(str::from_utf8(pair)?, 16)?));
    Ok(Key::raw(&pairs.collect::<Result<Vec<u8>, Box<dyn Error>>>()?)?)
}
