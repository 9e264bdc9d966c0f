//! Dictionaries: training, storage, and use of the wrong one.

use strongroom_codec::{Codec, CodecError, Dictionary, Level};

/// Returns samples of small records that have much in common.
fn samples(city: &str) -> Vec<String> {
    (0..3000)
        .map(|n| format!("{{\"id\":{n},\"name\":\"user {}\",\"city\":\"{city} {}\"}}", n * 7, n % 13))
        .collect()
}

fn trained(city: &str) -> Dictionary {
    Dictionary::train(&samples(city), 8192).unwrap()
}

#[test]
fn a_dictionary_makes_small_values_smaller() {
    let (mut codec, dictionary) = (Codec::new(), trained("Zürich"));
    let (mut alone, mut together) = (0, 0);
    for sample in samples("Zürich").iter().rev().take(100) {
        let sample = sample.as_bytes();
        alone += codec.compress(sample, Level::default(), None).unwrap().len();
        let frame = codec.compress(sample, Level::default(), Some(&dictionary)).unwrap();
        together += frame.len();
        assert_eq!(codec.decompress(&frame, Some(&dictionary), 1000).unwrap(), sample);
    }
    assert!(together * 3 < alone * 2, "{together} bytes with the dictionary, and {alone} without");
}

#[test]
fn the_bytes_of_a_dictionary_suffice_to_read_its_frames() {
    let (mut codec, dictionary) = (Codec::new(), trained("Bern"));
    let frame = codec.compress(b"user 1 of Bern", Level::default(), Some(&dictionary)).unwrap();
    let again = Dictionary::new(dictionary.as_bytes()).unwrap();
    assert_eq!((again.id(), &again), (dictionary.id(), &dictionary));
    assert_eq!(Codec::new().decompress(&frame, Some(&again), 100).unwrap(), b"user 1 of Bern");
}

#[test]
fn a_wrong_or_missing_dictionary_is_named() {
    let (mut codec, right, wrong) = (Codec::new(), trained("Genf"), trained("Lausanne"));
    assert_ne!(right.id(), wrong.id());
    let frame = codec.compress(b"user 1 of Genf", Level::default(), Some(&right)).unwrap();
    let error = codec.decompress(&frame, None, 100).unwrap_err();
    assert!(matches!(error, CodecError::DictionaryMissing { needed } if needed == right.id()), "{error}");
    assert_eq!(error.code(), "STRONGROOM_ZSTD_DICTIONARY_MISSING");
    let error = codec.decompress(&frame, Some(&wrong), 100).unwrap_err();
    assert_eq!(error.code(), "STRONGROOM_ZSTD_DICTIONARY_WRONG");
    for id in [right.id(), wrong.id()] {
        assert!(error.to_string().contains(&id.to_string()), "{error}");
    }
    assert_eq!(codec.decompress(&frame, Some(&right), 100).unwrap(), b"user 1 of Genf");
}

#[test]
fn a_frame_without_a_dictionary_is_read_despite_a_given_one() {
    let (mut codec, dictionary) = (Codec::new(), trained("Basel"));
    let content = b"Basel, Basel, Basel, Basel".repeat(20);
    let frame = codec.compress(&content, Level::default(), None).unwrap();
    assert_eq!(codec.decompress(&frame, Some(&dictionary), 1000).unwrap(), content);
}

#[test]
fn bytes_that_are_not_a_dictionary_are_refused() {
    let good = trained("Chur");
    let truncated = &good.as_bytes()[..20];
    for bytes in [&b""[..], b"raw content", &[0x37, 0xa4, 0x30, 0xec], truncated] {
        let error = Dictionary::new(bytes).unwrap_err();
        assert!(
            matches!(error, CodecError::DictionaryInvalid { length } if length == bytes.len()),
            "{error}"
        );
        assert_eq!(error.code(), "STRONGROOM_ZSTD_DICTIONARY_INVALID");
    }
}

#[test]
fn too_few_samples_fail_to_train() {
    for samples in [vec![], vec!["one"], vec!["same"; 5]] {
        let error = Dictionary::train(&samples, 8192).unwrap_err();
        assert_eq!(error.code(), "STRONGROOM_ZSTD_TRAINING");
        assert!(matches!(error, CodecError::Training { reason, .. } if !reason.is_empty()));
    }
}

#[test]
fn debug_shows_no_content() {
    let shown = format!("{:?}", trained("Geheim"));
    assert!(shown.contains("length") && shown.len() < 100, "{shown}");
}
