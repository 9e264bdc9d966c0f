//! Frames that are damaged, cut off, followed by other bytes, or decompression bombs.

use strongroom_codec::{Codec, CodecError, Level};

fn content() -> Vec<u8> {
    (0..5000_u32).flat_map(|number| format!("{} ", number * number % 977).into_bytes()).collect()
}

/// Returns a frame with its content size, and a frame without.
fn frames() -> [Vec<u8>; 2] {
    let whole = Codec::new().compress(&content(), Level::default(), None).unwrap();
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.include_contentsize(false).unwrap();
    std::io::copy(&mut content().as_slice(), &mut encoder).unwrap();
    [whole, encoder.finish().unwrap()]
}

#[test]
fn bytes_without_the_magic_number_are_not_a_frame() {
    let long = vec![b'a'; 1000];
    for bytes in [
        &b""[..],
        b"a",
        b"plain text",
        &long,
        &[0x28, 0xb5, 0x2f, 0xfc, 0, 0, 0, 0],
        &[0x50, 0x2a, 0x4d, 0x18],
    ] {
        let error = Codec::new().decompress(bytes, None, 1000).unwrap_err();
        assert!(matches!(error, CodecError::NotAFrame { length } if length == bytes.len()), "{error}");
        assert_eq!(error.code(), "STRONGROOM_ZSTD_NOT_A_FRAME");
    }
}

#[test]
fn a_frame_cut_off_anywhere_is_truncated() {
    let mut codec = Codec::new();
    for frame in frames() {
        for length in (1..20).chain((20..frame.len()).step_by(97)).chain(frame.len() - 5..frame.len()) {
            let error = codec.decompress(&frame[..length], None, 1 << 20).unwrap_err();
            assert!(matches!(error, CodecError::Truncated { .. }), "{length} of {}: {error}", frame.len());
            assert_eq!(error.code(), "STRONGROOM_ZSTD_TRUNCATED");
        }
    }
}

#[test]
fn a_flipped_bit_anywhere_is_detected() {
    let mut codec = Codec::new();
    for frame in frames() {
        for offset in (0..30).chain((30..frame.len()).step_by(31)).chain(frame.len() - 5..frame.len()) {
            let mut bad = frame.clone();
            bad[offset] ^= 1 << (offset % 8);
            match codec.decompress(&bad, None, 1 << 20) {
                Err(error) => assert!(error.code().starts_with("STRONGROOM_ZSTD_"), "{error}"),
                // Some bits change nothing, such as a larger window.
                Ok(read) => assert_eq!(read, content(), "byte {offset}"),
            }
        }
    }
}

#[test]
fn the_checksum_is_checked() {
    for mut frame in frames() {
        let last = frame.len() - 1;
        frame[last] ^= 1;
        let error = Codec::new().decompress(&frame, None, 1 << 20).unwrap_err();
        assert_eq!(error.code(), "STRONGROOM_ZSTD_CORRUPT");
        assert!(error.to_string().contains("checksum"), "{error}");
    }
}

#[test]
fn bytes_after_a_frame_are_an_error() {
    for frame in frames() {
        let twice = [frame.as_slice(), &frame].concat();
        let error = Codec::new().decompress(&twice, None, 1 << 20).unwrap_err();
        assert!(matches!(error, CodecError::TrailingData { extra } if extra == frame.len()), "{error}");
        let one_more = [frame.as_slice(), b"\0"].concat();
        let error = Codec::new().decompress(&one_more, None, 1 << 20).unwrap_err();
        assert_eq!(error.code(), "STRONGROOM_ZSTD_TRAILING_DATA");
    }
}

#[test]
fn content_may_be_as_large_as_the_limit() {
    let mut codec = Codec::new();
    let length = content().len();
    for frame in frames() {
        assert_eq!(codec.decompress(&frame, None, length).unwrap(), content());
        for limit in [0, 1, length - 1] {
            let error = codec.decompress(&frame, None, limit).unwrap_err();
            assert!(matches!(error, CodecError::TooBig { limit: shown } if shown == limit), "{error}");
            assert_eq!(error.code(), "STRONGROOM_ZSTD_TOO_BIG");
        }
    }
}

#[test]
fn a_frame_that_lies_about_its_size_is_damaged() {
    let content = vec![7; 300];
    let mut frame = Codec::new().compress(&content, Level::default(), None).unwrap();
    // The frame header's descriptor says that two bytes follow, which hold the size less 256 (RFC 8878, 3.1.1.1).
    assert_eq!((frame[4] >> 6, &frame[5..7]), (1, &44_u16.to_le_bytes()[..]));
    for claimed in [0_u16, 43, 45, u16::MAX] {
        frame[5..7].copy_from_slice(&claimed.to_le_bytes());
        let error = Codec::new().decompress(&frame, None, 1 << 20).unwrap_err();
        assert_eq!(error.code(), "STRONGROOM_ZSTD_CORRUPT", "{claimed}: {error}");
    }
}

#[test]
fn a_frame_that_states_exabytes_takes_no_memory() {
    // A single segment, a content size of eight bytes, and a last block that repeats one byte.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0xe0];
    frame.extend_from_slice(&u64::MAX.wrapping_sub(7).to_le_bytes());
    frame.extend_from_slice(&[0x0b, 0, 0, 7]);
    for limit in [1000, usize::MAX] {
        let error = Codec::new().decompress(&frame, None, limit).unwrap_err();
        let code = error.code();
        assert!(
            ["STRONGROOM_ZSTD_TOO_BIG", "STRONGROOM_ZSTD_MEMORY", "STRONGROOM_ZSTD_CORRUPT"].contains(&code),
            "{error}"
        );
    }
}
