//! XML within bounds.
//!
//! The library refuses document types and bounds elements. What grows faster than the
//! text in it is counted here first: it compares each attribute of an element with the
//! others, and gives each element that declares a namespace a list of all that are in
//! force.

use roxmltree::{Document, Error, ParsingOptions};

use crate::form::Form;
use crate::refusal::Refusal;

/// The most elements and texts: ten thousand tokens of a hundred each.
const MOST_NODES: u32 = 1_000_000;
/// The most elements within each other; groups of `KeePass` are some.
const MOST_LEVELS: usize = 64;
/// The most attributes of an element.
const MOST_ATTRIBUTES: usize = 32;
/// The most declarations of namespaces.
const MOST_NAMESPACES: usize = 20_000;

/// Parses a document; `Ok(None)` when it is no XML at all.
pub(crate) fn parse(text: &str) -> Result<Option<Document<'_>>, Refusal> {
    bounded(text)?;
    let options = ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    match Document::parse_with_options(text, options) {
        Ok(document) => Ok(Some(document)),
        Err(Error::DtdDetected) => {
            Err(Refusal::Unsupported { form: Form::Pskc, what: "a document type" })
        }
        Err(Error::NodesLimitReached) => Err(Refusal::TooMany {
            what: "elements",
            most: usize::try_from(MOST_NODES).unwrap_or(usize::MAX),
        }),
        Err(_) if text.contains("KeyContainer") => {
            Err(Refusal::Malformed { form: Form::Pskc, what: "XML" })
        }
        // A link in angle brackets is none.
        Err(_) => Ok(None),
    }
}

/// Counts levels, attributes and namespaces by the marks around them alone, so that
/// nothing is counted less often than the library finds it.
fn bounded(text: &str) -> Result<(), Refusal> {
    let too_many = |what, most| Err(Refusal::TooMany { what, most });
    let (mut levels, mut namespaces) = (0_usize, 0_usize);
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        let end = match Markup::at(rest) {
            Markup::Skipped { until } => rest.find(until).map(|at| at + until.len()),
            Markup::End => {
                levels = levels.saturating_sub(1);
                rest.find('>').map(|at| at + 1)
            }
            Markup::Start => {
                let tag = Tag::measure(rest);
                if tag.attributes > MOST_ATTRIBUTES {
                    return too_many("attributes", MOST_ATTRIBUTES);
                }
                namespaces += rest[..tag.length].matches("xmlns").count();
                if namespaces > MOST_NAMESPACES {
                    return too_many("namespaces", MOST_NAMESPACES);
                }
                levels += usize::from(!tag.empty);
                if levels > MOST_LEVELS {
                    return too_many("levels", MOST_LEVELS);
                }
                Some(tag.length)
            }
        };
        // What is never closed is an error of the library's.
        let Some(end) = end else { break };
        rest = &rest[end..];
    }
    Ok(())
}

/// What begins with `<`.
enum Markup {
    /// Something without elements: a comment, a section of text, an instruction.
    Skipped {
        until: &'static str,
    },
    Start,
    End,
}

impl Markup {
    fn at(text: &str) -> Self {
        if text.starts_with("<!--") {
            Self::Skipped { until: "-->" }
        } else if text.starts_with("<![CDATA[") {
            Self::Skipped { until: "]]>" }
        } else if text.starts_with("<?") {
            Self::Skipped { until: "?>" }
        } else if text.starts_with("</") {
            Self::End
        } else {
            Self::Start
        }
    }
}

/// A start tag.
struct Tag {
    /// Bytes of it, with its brackets.
    length: usize,
    attributes: usize,
    /// It is its own end.
    empty: bool,
}

impl Tag {
    fn measure(text: &str) -> Self {
        let (mut quote, mut attributes, mut before) = (None, 0, b'<');
        for (at, byte) in text.bytes().enumerate() {
            match (quote, byte) {
                (Some(open), _) if byte == open => quote = None,
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, b'=') => attributes += 1,
                (None, b'>') => {
                    return Self { length: at + 1, attributes, empty: before == b'/' };
                }
                // A character of a value, or of a name.
                (Some(_) | None, _) => {}
            }
            before = byte;
        }
        Self { length: text.len(), attributes, empty: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Option<&'static str> {
        match parse(text).err()? {
            Refusal::TooMany { what, .. } => Some(what),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_would_grow_faster_than_the_text() {
        assert_eq!(refused(&format!("<a{}/>", " b='>'".repeat(33))), Some("attributes"));
        assert_eq!(refused(&"<a>".repeat(65)), Some("levels"));
        let declared = "<a xmlns:b='c'/>".repeat(20_001);
        assert_eq!(refused(&format!("<a>{declared}</a>")), Some("namespaces"));
    }

    #[test]
    fn what_only_looks_like_it() {
        let comment = "<!-- <a> -->".repeat(100);
        let instruction = "<?x <a> ?>".repeat(100);
        let section = "<![CDATA[<a>]]>".repeat(100);
        let empty = "<a b='/'/>".repeat(100);
        let text = format!("<a>{comment}{instruction}{section}{empty}a=b=c</a>");
        assert!(matches!(parse(&text), Ok(Some(_))));
        assert!(matches!(parse("<https://example.com>"), Ok(None)));
    }
}
