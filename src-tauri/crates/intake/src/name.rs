//! Names as they are shown: issuer, organisation, account.

/// The most characters of a name that are kept.
const MOST: usize = 128;

/// A name that is safe to show (facts/seed-formats.md 1.1 step 9).
pub(crate) struct Name {
    pub(crate) text: String,
    /// Something was taken out that could have misled the eye.
    pub(crate) cleaned: bool,
    /// It was longer than [`MOST`].
    pub(crate) cut: bool,
}

impl Name {
    pub(crate) fn new(raw: &str) -> Self {
        let mut cleaned = false;
        let kept: String = raw
            .chars()
            .filter(|&character| {
                let misleads = misleads(character);
                cleaned |= misleads;
                !misleads
            })
            .collect();
        let kept = kept.trim();
        let mut text: String = kept.chars().take(MOST).collect();
        let cut = text.len() < kept.len();
        text.truncate(text.trim_end().len());
        Self { text, cleaned, cut }
    }
}

/// Control characters, line breaks, direction overrides and characters of no width.
/// The joiners U+200C and U+200D stay: Persian and emoji need them.
pub(crate) fn misleads(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_and_line_breaks_go() {
        let name = Name::new(" Con\u{202e}toso\r\n ");
        assert_eq!((name.text.as_str(), name.cleaned, name.cut), ("Contoso", true, false));
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        let name = Name::new(&"ü".repeat(200));
        assert_eq!((name.text.chars().count(), name.cut), (128, true));
        assert!(!Name::new(&"ü".repeat(128)).cut);
    }
}
