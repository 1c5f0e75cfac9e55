//! The management applet, as far as other clients ask it before they talk to
//! OATH: a greeting with the version, and the device information.

use crate::wire::put;

pub(super) const AID: &[u8] = &[0xa0, 0x00, 0x00, 0x05, 0x27, 0x47, 0x11, 0x17];

/// The interfaces OTP, U2F, `OpenPGP`, PIV, OATH and FIDO2, all of them.
const EVERYTHING: &[u8] = &[0x02, 0x3f];

/// The answer to SELECT.
pub(super) fn greeting([major, minor, patch]: [u8; 3]) -> Vec<u8> {
    format!("Virtual mgr - FW version {major}.{minor}.{patch}").into_bytes()
}

/// The answer to command `1D`: one length byte, then data objects.
pub(super) fn device_info(serial: u32, version: [u8; 3]) -> Vec<u8> {
    let mut objects = Vec::new();
    put(&mut objects, 0x01, EVERYTHING); // supported by USB
    put(&mut objects, 0x02, &serial.to_be_bytes());
    put(&mut objects, 0x03, EVERYTHING); // enabled on USB
    put(&mut objects, 0x04, &[0x01]); // form factor: keychain, USB-A
    put(&mut objects, 0x05, &version);
    put(&mut objects, 0x0d, EVERYTHING); // supported by NFC
    put(&mut objects, 0x0e, EVERYTHING); // enabled on NFC
    let mut answer = vec![u8::try_from(objects.len()).unwrap_or(u8::MAX)];
    answer.append(&mut objects);
    answer
}
