//! The token families, one file each. A new family is one line here.

/// Declares each family's module and puts its driver into [`DRIVERS`], so that
/// one line is all that a family adds to this file.
macro_rules! families {
    ($($family:ident),+ $(,)?) => {
        $(mod $family;)+
        /// Every driver, in the order in which an unknown card is asked.
        pub static DRIVERS: &[&dyn crate::Driver] = &[$(&$family::Driver),+];
    };
}

families! {
    // Told by the reader's name, so that no other card is asked.
    token2_molto2,
    // Asked first, because one product's applet stops the device on a command of
    // another class while it is selected; Token2 tokens answer a SELECT harmlessly.
    yubikey_oath,
    // Next, by the same SELECT: its firmware is of the same origin.
    nitrokey_secrets,
    feitian_otp_applet,
    token2_fido_otp,
    token2_nfc_single_profile,
    // Told by vendor, product and usage, so that no other HID device is asked.
    nitrokey_pro,
    yubikey_otp_hid,
    onlykey,
    mooltipass,
}
