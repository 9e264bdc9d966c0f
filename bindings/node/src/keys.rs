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
    panic_request::panic_if_requested,
};

/// The secret and the label that a key slot gets. The TypeScript layer has checked each value.
#[napi(object, object_to_js = false)]
pub struct NativeSlotSecret {
    /// The raw key, the passphrase or the recovery code.
    pub key: Option<NativeKey>,
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
    pub fn add_key_slot(
        &self,
        env: Env,
        schema: String,
        secret: NativeSlotSecret,
    ) -> napi::Result<NativeKeySlot> {
        let add = || {
            let database = self.database();
            let key = secret.key()?.ok_or_else(Failure::busy)?;
            Ok(database.add_key_slot(&schema, &key, secret.label.as_deref())?.into())
        };
        add().map_err(|failure: Failure| failure.throw(&env))
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
    pub fn change_key_slot(
        &self,
        env: Env,
        schema: String,
        id: String,
        secret: NativeSlotSecret,
    ) -> napi::Result<NativeKeySlot> {
        let change = || {
            let database = self.database();
            let key = secret.key()?;
            let label = secret.relabel.then_some(secret.label.as_deref());
            let change = SlotChange { key: key.as_ref(), label };
            Ok(database.change_key_slot(&schema, id.parse::<SlotId>()?, &change)?.into())
        };
        change().map_err(|failure: Failure| failure.throw(&env))
    }
}

impl NativeSlotSecret {
    fn key(&self) -> Outcome<Option<Key>> {
        Ok(self.key.as_ref().map(NativeKey::key).transpose()?.flatten())
    }
}

/// Returns a new recovery code, with no copy outside JavaScript that is not wiped.
///
/// # Errors
///
/// Fails if the operating system returns no random bytes, or if Node-API fails.
#[napi(catch_unwind)]
pub fn generate_recovery_code(env: &Env) -> napi::Result<JsString<'_>> {
    panic_if_requested();
    let generate = || {
        let text = RecoveryCode::generate()?.expose_text();
        // The text is ASCII.
        let text = str::from_utf8(&text).unwrap_or_default();
        Ok(env.create_string(text)?)
    };
    generate().map_err(|failure: Failure| failure.throw(env))
}
