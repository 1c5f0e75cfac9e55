//! The words for codes: one Fluent file for the window and the terminal.

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource};
use unic_langid::langid;

use crate::Facts;

/// The English words, the same file that the window reads.
const ENGLISH: &str = include_str!("../../../../ui/locales/en/sower.ftl");

/// Words that only the terminal says.
const TERMINAL: &str = include_str!("../../../../ui/locales/en/terminal.ftl");

/// What is said for a code: what it is, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The message.
    pub message: String,
    /// More, where there is more and every fact that it names is known.
    pub detail: Option<String>,
    /// The next step, where there is one.
    pub next: Option<String>,
}

/// The words of one language.
pub struct Words(FluentBundle<FluentResource>);

impl Words {
    /// English.
    pub fn english() -> Self {
        let mut bundle = FluentBundle::new(vec![langid!("en")]);
        // The marks around facts are for right-to-left text; in a terminal they
        // are seen as boxes.
        bundle.set_use_isolating(false);
        for text in [ENGLISH, TERMINAL] {
            // A slip in one message costs that message; a test finds it.
            let (Ok(resource) | Err((resource, _))) = FluentResource::try_new(text.to_owned());
            bundle.add_resource_overriding(resource);
        }
        Self(bundle)
    }

    /// What is said for `key`; the key itself where words are missing.
    pub fn say(&self, key: &str, facts: &Facts) -> Said {
        let mut arguments = FluentArgs::new();
        for (name, value) in facts {
            // Whole numbers go in as numbers, so that a message can choose by them.
            match value.parse::<i32>() {
                Ok(number) if number.to_string() == *value => arguments.set(name.as_str(), number),
                _ => arguments.set(name.as_str(), value.as_str()),
            }
        }
        let Some(message) = self.0.get_message(key) else {
            return Said { message: key.to_owned(), detail: None, next: None };
        };
        let format = |pattern| {
            let mut errors = Vec::new();
            let text = self.0.format_pattern(pattern, Some(&arguments), &mut errors).into_owned();
            (text, errors.is_empty())
        };
        let attribute = |name| message.get_attribute(name).map(|found| format(found.value()));
        let knows_all = facts.values().all(|value| !value.is_empty());
        Said {
            message: message.value().map_or_else(|| key.to_owned(), |value| format(value).0),
            detail: attribute("detail")
                .filter(|(_, whole)| *whole && knows_all)
                .map(|(text, _)| text),
            next: attribute("next").map(|(text, _)| text),
        }
    }

    /// Whether there are words for `key`.
    pub fn knows(&self, key: &str) -> bool {
        self.0.has_message(key)
    }
}
