//! Key slots for JavaScript.

use std::time::UNIX_EPOCH;

use napi::{Env, JsString};
use napi_derive::napi;
use strongroom_database::{Slot, SlotChange, SlotKind};
use strongroom_keys::{Key, RecoveryCode, SlotId};

use crate::{
    database::NativeDatabase,
    error::{Failure, Outcome},
    key::NativeKey,
};

/// The secret and the label that a key slot gets. The TypeScript layer has checked each value.
#[napi(object, object_to_js = false)]
pub struct NativeSlotSecret {
    /// The raw key or the passphrase.
    pub key: Option<NativeKey>,
    /// `true` to generate a recovery code.
    pub recovery: bool,
    /// The label. Without a label, the slot has none.
    pub label: Option<String>,
    /// `true` if a changed slot gets `label`, and `false` if it keeps its label.
    pub relabel: bool,
}

/// A key slot, without key material.
#[napi(object, object_from_js = false)]
pub struct NativeKeySlot {
    /// The identity, 16 hexadecimal digits.
    pub id: String,
    /// The kind of the secret that opens the slot.
    #[napi(ts_type = "'key' | 'passphrase' | 'recovery' | 'unsupported'")]
    pub kind: &'static str,
    /// The label.
    pub label: Option<String>,
    /// The time at which the slot got its present key, in milliseconds since 1970, unless the label cannot be read.
    pub created: Option<f64>,
    /// `true` if the slot opened the file for this connection.
    pub current: bool,
}

/// A key slot that was written.
#[napi(object, object_from_js = false)]
pub struct NativeWrittenSlot<'e> {
    /// The slot.
    pub slot: NativeKeySlot,
    /// The recovery code that was generated.
    pub code: Option<JsString<'e>>,
}

impl From<Slot> for NativeKeySlot {
    fn from(slot: Slot) -> Self {
        Self {
            id: slot.id.to_string(),
            kind: match slot.kind {
                SlotKind::RawKey => "key",
                SlotKind::Passphrase => "passphrase",
                SlotKind::RecoveryCode => "recovery",
                _ => "unsupported",
            },
            label: slot.label,
            created: slot
                .created
                .map(|time| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as f64),
            current: slot.is_current,
        }
    }
}

#[napi]
impl NativeDatabase {
    /// Returns the key slots of the database `schema`.
    #[napi(catch_unwind)]
    pub fn key_slots(&self, env: Env, schema: String) -> napi::Result<Vec<NativeKeySlot>> {
        let slots = self.database().key_slots(&schema).map_err(|error| Failure::from(error).throw(&env))?;
        Ok(slots.into_iter().map(NativeKeySlot::from).collect())
    }

    /// Adds a key slot to the database `schema`.
    #[napi(catch_unwind)]
    pub fn add_key_slot<'e>(
        &self,
        env: &'e Env,
        schema: String,
        secret: NativeSlotSecret,
    ) -> napi::Result<NativeWrittenSlot<'e>> {
        let add = || {
            let database = self.database();
            let NewSecret { key, code } = NewSecret::of(&secret)?;
            let key = key.ok_or_else(Failure::busy)?;
            let slot = database.add_key_slot(&schema, &key, secret.label.as_deref())?;
            Ok(NativeWrittenSlot { slot: slot.into(), code: text(env, code)? })
        };
        add().map_err(|failure: Failure| failure.throw(env))
    }

    /// Removes a key slot of the database `schema`, and returns the slot as it was.
    #[napi(catch_unwind)]
    pub fn remove_key_slot(&self, env: Env, schema: String, id: String) -> napi::Result<NativeKeySlot> {
        let remove = || {
            let database = self.database();
            Ok(database.remove_key_slot(&schema, id.parse::<SlotId>()?)?.into())
        };
        remove().map_err(|failure: Failure| failure.throw(&env))
    }

    /// Changes the secret or the label of a key slot of the database `schema`.
    #[napi(catch_unwind)]
    pub fn change_key_slot<'e>(
        &self,
        env: &'e Env,
        schema: String,
        id: String,
        secret: NativeSlotSecret,
    ) -> napi::Result<NativeWrittenSlot<'e>> {
        let change = || {
            let database = self.database();
            let NewSecret { key, code } = NewSecret::of(&secret)?;
            let label = secret.relabel.then_some(secret.label.as_deref());
            let change = SlotChange { key: key.as_ref(), label };
            let slot = database.change_key_slot(&schema, id.parse::<SlotId>()?, &change)?;
            Ok(NativeWrittenSlot { slot: slot.into(), code: text(env, code)? })
        };
        change().map_err(|failure: Failure| failure.throw(env))
    }
}

/// The key that a slot gets, and its recovery code if the key is one.
struct NewSecret {
    key: Option<Key>,
    code: Option<RecoveryCode>,
}

impl NewSecret {
    fn of(secret: &NativeSlotSecret) -> Outcome<Self> {
        if secret.recovery {
            let code = RecoveryCode::generate()?;
            return Ok(Self { key: Some(Key::recovery_code(&code)), code: Some(code) });
        }
        Ok(Self { key: secret.key.as_ref().map(NativeKey::key).transpose()?.flatten(), code: None })
    }
}

/// Returns the text of a recovery code, with no copy outside JavaScript that is not wiped.
fn text(env: &Env, code: Option<RecoveryCode>) -> Outcome<Option<JsString<'_>>> {
    let text = code.map(|code| code.expose_text());
    // The text is ASCII.
    let text = text.as_ref().and_then(|text| str::from_utf8(text).ok());
    Ok(text.map(|text| env.create_string(text)).transpose()?)
}
