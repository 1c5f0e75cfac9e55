//! JSON as exports hold it: fields of the wrong type count as absent, strings are
//! wiped, lists are capped while they are read.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use crate::draft::Number;
use crate::form::Form;
use crate::refusal::Refusal;

/// The most entries of a vault.
pub(crate) const MOST_ENTRIES: usize = 10_000;
/// The most names of fields that are looked at to tell the form.
const MOST_NAMES: usize = 64;

/// Parses a document of a form.
pub(crate) fn parse<'a, T: Deserialize<'a>>(text: &'a str, form: Form) -> Result<T, Refusal> {
    serde_json::from_str(text).map_err(|error| {
        // The library's message may show the text, so only its kind is kept.
        if error.to_string().starts_with(TOO_MANY) {
            Refusal::TooMany { what: "entries", most: MOST_ENTRIES }
        } else {
            Refusal::Malformed { form, what: "JSON" }
        }
    })
}

const TOO_MANY: &str = "too many entries";

/// A string that is wiped; empty when the field is none.
#[derive(Default)]
pub(crate) struct Text(Zeroizing<String>);

impl Text {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Takes any value and keeps what it is of those that are wanted.
struct Scalar<T>(PhantomData<T>);

/// What a value of any type comes to.
trait FromScalar: Default {
    fn text(value: &str) -> Self;
    fn whole(value: u64) -> Self;
    fn other_number() -> Self;
}

impl FromScalar for Text {
    fn text(value: &str) -> Self {
        Self(Zeroizing::new(value.to_owned()))
    }
    fn whole(_: u64) -> Self {
        Self::default()
    }
    fn other_number() -> Self {
        Self::default()
    }
}

impl FromScalar for Number {
    fn text(value: &str) -> Self {
        Self::parse(value)
    }
    fn whole(value: u64) -> Self {
        Self::Is(value)
    }
    fn other_number() -> Self {
        Self::Bad
    }
}

impl<'de, T: FromScalar> Visitor<'de> for Scalar<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_str<E>(self, value: &str) -> Result<T, E> {
        Ok(T::text(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<T, E> {
        Ok(T::whole(value))
    }
    fn visit_i64<E>(self, _: i64) -> Result<T, E> {
        Ok(T::other_number())
    }
    fn visit_f64<E>(self, _: f64) -> Result<T, E> {
        Ok(T::other_number())
    }
    fn visit_bool<E>(self, _: bool) -> Result<T, E> {
        Ok(T::default())
    }
    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<T, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(T::default())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<T, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(T::default())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Scalar(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Scalar(PhantomData))
    }
}

/// A list that ends the reading when it grows beyond [`MOST_ENTRIES`]; empty when
/// the field is `null`.
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_unit<E>(self) -> Result<List<T>, E> {
                Ok(List::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<List<T>, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    if list.len() == MOST_ENTRIES {
                        return Err(serde::de::Error::custom(TOO_MANY));
                    }
                    list.push(item);
                }
                Ok(List(list))
            }
        }
        from.deserialize_any(Items(PhantomData))
    }
}

/// The names of the fields of a document, or of the first object of its list.
pub(crate) struct Shape {
    /// The document is a list.
    pub(crate) list: bool,
    names: BTreeSet<String>,
}

impl Shape {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Shape;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or a list of objects")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Shape, A::Error> {
                let mut names = BTreeSet::new();
                while let Some(name) = fields.next_key::<String>()? {
                    fields.next_value::<IgnoredAny>()?;
                    if names.len() < MOST_NAMES {
                        names.insert(name);
                    }
                }
                Ok(Shape { list: false, names })
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Shape, A::Error> {
                let first: Option<Shape> = items.next_element()?;
                while items.next_element::<IgnoredAny>()?.is_some() {}
                let names = first.map(|shape| shape.names).unwrap_or_default();
                Ok(Shape { list: true, names })
            }
        }
        from.deserialize_any(Names)
    }
}
