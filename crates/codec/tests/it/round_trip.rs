//! Decompression returns the compressed content.

use strongroom_codec::{Codec, CodecError, Level};

/// Returns contents of many lengths, both repetitive and varied.
fn contents() -> Vec<Vec<u8>> {
    let mut contents = Vec::new();
    for length in [0, 1, 2, 100, 1000, 65_536, 131_073, 3_000_000] {
        contents.push(vec![7; length]);
        contents.push((0..length).map(|index| (index * index / 7 % 251) as u8).collect());
    }
    contents
}

#[test]
fn content_survives_the_cheap_levels_and_both_extremes() {
    let mut codec = Codec::new();
    for level in [Level::min().number(), -5, 0, 1, 3, 9, Level::max().number()] {
        let level = Level::new(level.into()).unwrap();
        for content in contents().iter().filter(|content| content.len() < 1_000_000) {
            let frame = codec.compress(content, level, None).unwrap();
            assert_eq!(codec.decompress(&frame, None, content.len()).unwrap(), *content);
        }
    }
}

#[test]
fn a_frame_states_the_length_of_its_content() {
    let mut codec = Codec::new();
    for content in contents() {
        let frame = codec.compress(&content, Level::default(), None).unwrap();
        let declared = zstd::zstd_safe::get_frame_content_size(&frame).unwrap();
        assert_eq!(declared, Some(content.len() as u64));
    }
}

#[test]
fn frames_of_other_programs_are_read_with_and_without_a_content_size() {
    let mut codec = Codec::new();
    for content in contents() {
        let streamed = zstd::stream::encode_all(content.as_slice(), 3).unwrap();
        assert_eq!(codec.decompress(&streamed, None, content.len()).unwrap(), content);
        let whole = zstd::bulk::compress(&content, 3).unwrap();
        assert_eq!(codec.decompress(&whole, None, content.len()).unwrap(), content);
    }
}

#[test]
fn a_codec_works_after_an_error() {
    let mut codec = Codec::new();
    let content = b"some content, some content, some content".repeat(50);
    let frame = codec.compress(&content, Level::default(), None).unwrap();
    let streamed = zstd::stream::encode_all(content.as_slice(), 3).unwrap();
    for _ in 0..3 {
        for frame in [&frame, &streamed] {
            let mut bad = frame.clone();
            let middle = bad.len() / 2;
            bad[middle] ^= 0xff;
            codec.decompress(&bad, None, content.len()).unwrap_err();
            codec.decompress(frame, None, content.len() - 1).unwrap_err();
            assert_eq!(codec.decompress(frame, None, content.len()).unwrap(), content);
        }
    }
}

#[test]
fn a_level_is_in_the_range_of_zstd() {
    for level in [i64::MIN, -131_073, 23, 1 << 32, i64::MAX] {
        let error = Level::new(level).unwrap_err();
        assert!(matches!(error, CodecError::Level { actual, .. } if actual == level));
        assert_eq!(error.code(), "STRONGROOM_ZSTD_LEVEL");
        assert!(error.to_string().contains("to 22"), "{error}");
    }
    assert_eq!(Level::default(), Level::new(3).unwrap());
}
