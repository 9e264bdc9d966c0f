//! JSON that keeps its order, in which package.json's `exports` are matched.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// An object, its keys in the order in which they were written.
pub(super) type Object = IndexMap<String, Json>;

/// What a package.json holds.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
pub(super) enum Json {
    Bool(bool),
    Text(String),
    List(Vec<Json>),
    Object(Object),
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// A list of texts.
pub(super) fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> Json {
    Json::List(texts.into_iter().map(Json::from).collect())
}

/// An object of these keys, in this order.
pub(super) fn object<const N: usize>(entries: [(&str, Json); N]) -> Object {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The text of a file, as npm formats it.
pub(super) fn file(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_keep_the_order_in_which_they_are_tried() {
        let text = "{\n  \"types\": \"./a.d.ts\",\n  \"default\": [\n    true\n  ]\n}\n";
        let read: Object = serde_json::from_str(text).unwrap();
        assert_eq!(String::from_utf8(file(&read).unwrap()).unwrap(), text);
    }
}
