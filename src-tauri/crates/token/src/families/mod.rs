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
    // Asked first, because one product's applet stops the device on a command of
    // another class while it is selected; Token2 tokens answer a SELECT harmlessly.
    yubikey_oath,
    token2_nfc_single_profile,
}
