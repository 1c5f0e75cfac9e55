//! The emulated families, one line each.

use crate::Applet;

/// Lists the families: the module's name, which holds `FAMILY` and `practice`.
macro_rules! families {
    ($($family:ident),+ $(,)?) => {
        $(pub mod $family;)+

        /// The names of the emulated families.
        pub const FAMILIES: &[&str] = &[$($family::FAMILY),+];

        /// A fresh practice token of a family, as it leaves the factory; `None`
        /// if no such family is emulated.
        pub fn practice(family: &str) -> Option<Box<dyn Applet>> {
            match family {
                $($family::FAMILY => Some(Box::new($family::practice())),)+
                _ => None,
            }
        }
    };
}

// In the order in which practice tokens are laid out: what most people have first.
families! {
    token2_nfc_single_profile,
    yubikey_oath,
    nitrokey_secrets,
    token2_molto2,
    token2_fido_otp,
    nitrokey_pro,
    yubikey_otp_hid,
    onlykey,
    mooltipass,
    feitian_otp_applet,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_has_a_practice_token_of_its_name() {
        for family in FAMILIES {
            let token = practice(family).expect("it is in the list");
            assert_eq!(token.identity().family, *family);
            let other = token.another();
            assert_eq!(other.identity().title, token.identity().title);
            assert_ne!(other.identity(), token.identity());
        }
        assert!(practice("no-such-family").is_none());
    }
}
