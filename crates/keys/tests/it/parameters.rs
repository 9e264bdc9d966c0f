//! Cipher parameters: ranges and defaults.

use strongroom_keys::{CipherParameters, HashAlgorithm, Key};

fn code_of(parameters: CipherParameters) -> Option<&'static str> {
    Key::raw(&[1; 32]).unwrap().with_cipher(parameters).err().map(|error| error.code())
}

#[test]
fn a_page_size_is_a_power_of_two_with_room_for_the_cipher() {
    for good in [1024, 4096, 65536] {
        assert_eq!(code_of(CipherParameters { page_size: Some(good), ..Default::default() }), None);
    }
    for bad in [0, 1, 512, 1025, 4095, 65537, 131_072, u32::MAX] {
        let code = code_of(CipherParameters { page_size: Some(bad), ..Default::default() });
        assert_eq!(code, Some("STRONGROOM_KEY_PAGE_SIZE"), "{bad}");
    }
}

#[test]
fn iterations_start_at_one_and_fit_a_c_int() {
    for good in [1, 256_000, i32::MAX as u32] {
        assert_eq!(code_of(CipherParameters { kdf_iter: Some(good), ..Default::default() }), None);
    }
    for bad in [0, i32::MAX as u32 + 1, u32::MAX] {
        let code = code_of(CipherParameters { kdf_iter: Some(bad), ..Default::default() });
        assert_eq!(code, Some("STRONGROOM_KEY_KDF_ITER"), "{bad}");
    }
}

#[test]
fn compatibility_is_a_major_version_of_sqlcipher() {
    for good in 1..=4 {
        assert_eq!(code_of(CipherParameters { compatibility: Some(good), ..Default::default() }), None);
    }
    for bad in [0, 5, 255] {
        let code = code_of(CipherParameters { compatibility: Some(bad), ..Default::default() });
        assert_eq!(code, Some("STRONGROOM_KEY_COMPATIBILITY"), "{bad}");
    }
}

#[test]
fn defaults_depend_on_the_major_version() {
    let of = |compatibility| {
        let parameters = CipherParameters { compatibility, ..Default::default() };
        (parameters.effective_kdf_iter(), parameters.effective_page_size())
    };
    assert_eq!(of(None), (256_000, 4096));
    assert_eq!(of(Some(4)), (256_000, 4096));
    assert_eq!(of(Some(3)), (64_000, 1024));
    assert_eq!(of(Some(2)), (4_000, 1024));
    assert_eq!(of(Some(1)), (4_000, 1024));
}

#[test]
fn a_plaintext_header_ends_with_a_block_and_needs_the_salt() {
    let with =
        |size, salt| CipherParameters { plaintext_header_size: Some(size), salt, ..Default::default() };
    for good in [0, 32, 4016] {
        assert_eq!(code_of(with(good, Some([1; 16]))), None, "{good}");
    }
    for bad in [1, 33, 4032, u32::MAX] {
        assert_eq!(code_of(with(bad, Some([1; 16]))), Some("STRONGROOM_KEY_PLAINTEXT_HEADER"), "{bad}");
    }
    assert_eq!(code_of(with(32, None)), Some("STRONGROOM_KEY_SALT"));
    assert_eq!(code_of(with(0, None)), None);
}

#[test]
fn a_page_reserves_its_initialisation_vector_and_its_hmac() {
    let of = |compatibility, hmac_algorithm| {
        CipherParameters { compatibility, hmac_algorithm, ..Default::default() }.reserved_bytes()
    };
    assert_eq!(of(None, None), 80);
    assert_eq!(of(None, Some(HashAlgorithm::Sha256)), 48);
    assert_eq!((of(Some(3), None), of(Some(2), None), of(Some(1), None)), (48, 48, 16));
}
