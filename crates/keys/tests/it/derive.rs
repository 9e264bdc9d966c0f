//! Compares derived keys with independent values. strongroom-database compares derived keys with SQLCipher's.

use strongroom_keys::{CipherParameters, derive};

#[test]
fn derivation_is_pbkdf2() {
    // Expected values: Python's hashlib.pbkdf2_hmac with dklen=32.
    let salt = b"0123456789abcdef";
    for (parameters, expected) in [
        (
            CipherParameters { kdf_iter: Some(1000), ..Default::default() },
            "38cd0502822a0952b5b16b710e27df56505e8ed2dafa4b384cfef526279cc2e4",
        ),
        (
            CipherParameters { kdf_iter: Some(1000), compatibility: Some(3), ..Default::default() },
            "6947c4dafc7943bce06dbd23c78f4068da575104155baa5e3ca37969bdfb1b8d",
        ),
        (
            CipherParameters { compatibility: Some(2), ..Default::default() },
            "d29eb909a3d187a7dda8ac781e96a34aa161bf55a5b0c4b12197ee4a6f910853",
        ),
    ] {
        let key = derive(b"correct horse", salt, &parameters).unwrap();
        let hex: String = key.expose_raw().unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, expected);
        assert_eq!(key.parameters(), &parameters);
    }
}

#[test]
fn derivation_refuses_invalid_passphrases_and_parameters() {
    let salt = &[0; 16];
    let parameters = CipherParameters::default();
    assert_eq!(derive(b"", salt, &parameters).unwrap_err().code(), "STRONGROOM_KEY_EMPTY");
    let none = CipherParameters { kdf_iter: Some(0), ..parameters };
    assert_eq!(derive(b"p", salt, &none).unwrap_err().code(), "STRONGROOM_KEY_KDF_ITER");
}
