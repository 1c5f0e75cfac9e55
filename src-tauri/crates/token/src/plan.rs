//! The one place where a wish is compared with a token's capabilities.

use oath::{Algorithm, Parameters, SharedSecret};

use crate::{
    Access, Capabilities, Characters, EntryName, NameRule, PeriodPrefix, PeriodRule,
    ReadOnlyReason, ZeroRule,
};

/// The words that a credential brings for its entry's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Label<'a> {
    /// The service, for Microsoft's Key URI always `Microsoft`.
    pub issuer: Option<&'a str>,
    /// The label's prefix, for Microsoft's Key URI the tenant.
    pub organisation: Option<&'a str>,
    /// The account, for Microsoft's Key URI the user's sign-in name.
    pub account: &'a str,
}

/// What somebody wants on a token.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The secret; its length and its zeros are looked at.
    pub secret: &'a SharedSecret,
    /// Hash, digits, period.
    pub parameters: Parameters,
    /// The words for the name.
    pub label: Label<'a>,
    /// A name that the operator typed instead, without the period's prefix.
    pub name: Option<&'a str>,
}

/// One thing that does not fit, with the facts to say so in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The token is not written to.
    ReadOnly(ReadOnlyReason),
    /// The secret is too short or too long.
    SecretLength {
        /// Bytes of the secret.
        bytes: usize,
        /// The fewest that the token takes.
        least: usize,
        /// The most that the token takes.
        most: usize,
    },
    /// The token does not know the hash.
    Algorithm {
        /// The hash that is asked for.
        wanted: Algorithm,
        /// The hashes that the token knows.
        known: &'static [Algorithm],
    },
    /// The token cannot show that many digits.
    Digits {
        /// Digits that are asked for.
        wanted: u8,
        /// The numbers of digits that the token shows.
        known: &'static [u8],
    },
    /// The token does not know the period.
    Period {
        /// Seconds that are asked for.
        wanted: u32,
        /// Seconds that the token knows, or the fewest and the most of a range.
        known: Vec<u32>,
    },
    /// The secret holds zero bytes that the token would take for something else.
    SecretZeros,
    /// The entry's name is longer than the token takes.
    NameLength {
        /// Bytes of the name in UTF-8, its prefix included.
        bytes: usize,
        /// The most that the token takes.
        most: usize,
        /// A shorter name that would fit, for the operator to accept or change.
        shorter: String,
    },
    /// The token would take another entry for this one and replace it.
    NameMixedUp {
        /// The other entry's name.
        other: String,
    },
    /// The token has no such place.
    NoSuchSlot,
    /// The operator's name is empty or holds a control character or, before its
    /// first colon, a slash after digits, which keys read as a period.
    NameForm,
}

/// What a session is to write: it exists only where everything fits.
///
/// The secret stays where it is and is handed to the session beside the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WritePlan {
    parameters: Parameters,
    name: Option<Name>,
    slot: Option<u16>,
    replace: bool,
}

/// The name of an entry with its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    full: String,
    service: Option<String>,
    account: String,
}

impl WritePlan {
    /// Hash, digits and period, those of the credential without any change.
    pub const fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The entry's full name, where the token holds names.
    pub fn name(&self) -> Option<&str> {
        self.name.as_ref().map(|name| name.full.as_str())
    }

    /// The service, for a token that keeps it in a field of its own.
    pub fn service(&self) -> Option<&str> {
        self.name.as_ref().and_then(|name| name.service.as_deref())
    }

    /// The account, for a token that keeps it in a field of its own.
    pub fn account(&self) -> Option<&str> {
        self.name.as_ref().map(|name| name.account.as_str())
    }

    /// The number of the place on the wire, where places have numbers.
    pub const fn slot(&self) -> Option<u16> {
        self.slot
    }

    /// This plan for a numbered place.
    #[must_use]
    pub const fn in_slot(mut self, number: u16) -> Self {
        self.slot = Some(number);
        self
    }

    /// Whether an entry of this name may be replaced: somebody was asked.
    pub const fn replaces(&self) -> bool {
        self.replace
    }

    /// This plan with the operator's word that what is there may be replaced.
    #[must_use]
    pub fn replacing(mut self) -> Self {
        self.replace = true;
        self
    }
}

impl Capabilities {
    /// Compares a wish with this token: a plan, or everything that does not fit.
    ///
    /// Nothing is adapted silently: a token with other parameters than the Key
    /// URI's would never show a code that is accepted.
    pub fn plan(&self, wish: &Wish<'_>) -> Result<WritePlan, Vec<Misfit>> {
        let mut misfits = Vec::new();
        if let Access::ReadOnly(reason) = self.access {
            misfits.push(Misfit::ReadOnly(reason));
        }
        misfits.extend(self.secret_misfit(wish));
        misfits.extend(self.zeros_misfit(wish));
        misfits.extend(self.algorithm_misfit(wish.parameters.algorithm));
        let digits = wish.parameters.digits.get();
        if !self.digits.contains(&digits) {
            misfits.push(Misfit::Digits { wanted: digits, known: self.digits });
        }
        misfits.extend(self.period_misfit(wish));
        let name = match self.name {
            NameRule::None => None,
            NameRule::Entry(rule) => match entry_name(wish, &rule) {
                Ok(name) => Some(name),
                Err(misfit) => {
                    misfits.push(misfit);
                    None
                }
            },
            NameRule::Title { most_bytes } => match title(wish, most_bytes) {
                Ok(name) => Some(name),
                Err(misfit) => {
                    misfits.push(misfit);
                    None
                }
            },
        };
        if misfits.is_empty() {
            Ok(WritePlan { parameters: wish.parameters, name, slot: None, replace: false })
        } else {
            Err(misfits)
        }
    }

    fn secret_misfit(&self, wish: &Wish<'_>) -> Option<Misfit> {
        let bytes = wish.secret.len();
        let hashed = self.long_secret_hashed && bytes > wish.parameters.algorithm.block_len();
        let (least, most) = (*self.secret.start(), *self.secret.end());
        let fits = self.secret.contains(&bytes) || (hashed && bytes >= least);
        (!fits).then_some(Misfit::SecretLength { bytes, least, most })
    }

    fn zeros_misfit(&self, wish: &Wish<'_>) -> Option<Misfit> {
        let secret = wish.secret.expose();
        let harmless = match self.zeros {
            ZeroRule::Harmless => true,
            ZeroRule::NotAlone => secret.iter().any(|byte| *byte != 0),
            ZeroRule::NoRunOf(run) => {
                let end = secret.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
                end > 0 && !secret[..end].windows(run).any(|w| w.iter().all(|byte| *byte == 0))
            }
        };
        (!harmless).then_some(Misfit::SecretZeros)
    }

    fn algorithm_misfit(&self, wanted: Algorithm) -> Option<Misfit> {
        let known = self.algorithms;
        (!known.contains(&wanted)).then_some(Misfit::Algorithm { wanted, known })
    }

    fn period_misfit(&self, wish: &Wish<'_>) -> Option<Misfit> {
        let wanted = wish.parameters.period;
        match &self.period {
            PeriodRule::InName | PeriodRule::HostOnly => None,
            PeriodRule::Within(range) if range.contains(&wanted.as_secs()) => None,
            PeriodRule::Within(range) => Some(Misfit::Period {
                wanted: wanted.as_secs(),
                known: vec![*range.start(), *range.end()],
            }),
            PeriodRule::Stored(known) if known.contains(&wanted) => None,
            PeriodRule::Stored(known) => Some(Misfit::Period {
                wanted: wanted.as_secs(),
                known: known.iter().map(|period| period.as_secs()).collect(),
            }),
        }
    }
}

/// The entry's name as the family spells it, with the tenant kept beside the issuer.
///
/// Other programs store Microsoft's `issuer` in place of the label's prefix, so
/// that two tenants with the same account name collide and the second silently
/// overwrites the first (yubikey-oath.md section 3, point 5).
fn entry_name(wish: &Wish<'_>, rule: &EntryName) -> Result<Name, Misfit> {
    let seconds = wish.parameters.period.as_secs();
    let prefix = match rule.period {
        PeriodPrefix::Never => String::new(),
        PeriodPrefix::SlashUnlessThirty if seconds == 30 => String::new(),
        PeriodPrefix::SlashUnlessThirty => format!("{seconds}/"),
        PeriodPrefix::ColonAlways => format!("{seconds}:"),
    };
    let spoken = match wish.name {
        Some(typed) => {
            // A name that was shown with its prefix and is typed back means the same.
            let typed = typed.trim();
            let typed = typed.strip_prefix(&prefix).unwrap_or(typed);
            let typed = typed.replace(rule.joint, ":");
            if typed.is_empty() || typed.chars().any(char::is_control) || has_period(&typed) {
                return Err(Misfit::NameForm);
            }
            typed
        }
        None => spoken_name(&wish.label),
    };
    let spoken = match rule.characters {
        Characters::Utf8 => spoken,
        Characters::Ascii => deunicode::deunicode(&spoken),
    };
    let name = parted(&prefix, &spoken, rule);
    let too_long = |full: &str, most| {
        let fixed = prefix.len() + rule.joint.len().saturating_sub(1);
        let shorter = shortened(&wish.label, &spoken, most - fixed.min(most));
        Err(Misfit::NameLength { bytes: full.len(), most, shorter })
    };
    if name.full.len() > rule.most_bytes {
        return too_long(&name.full, rule.most_bytes);
    }
    if let Some((service, account)) = rule.fields {
        if name.service.as_ref().is_some_and(|named| named.len() > service) {
            return too_long(&name.full, service);
        }
        if name.account.len() > account {
            return too_long(&name.full, account);
        }
        if name.account.is_empty() {
            return Err(Misfit::NameForm);
        }
    }
    Ok(name)
}

/// Divides `service:account` and puts it together in the family's own way.
fn parted(prefix: &str, spoken: &str, rule: &EntryName) -> Name {
    match spoken.split_once(':') {
        Some((service, account)) => Name {
            full: format!("{prefix}{service}{}{account}", rule.joint),
            service: Some(service.to_owned()),
            account: account.to_owned(),
        },
        None => {
            Name { full: format!("{prefix}{spoken}"), service: None, account: spoken.to_owned() }
        }
    }
}

/// A title for people beside a place: the operator's words, or the account, which
/// tells the people of one tenant apart; cut on a character's boundary.
fn title(wish: &Wish<'_>, most: usize) -> Result<Name, Misfit> {
    let words = match wish.name {
        Some(typed) if typed.trim().is_empty() || typed.chars().any(char::is_control) => {
            return Err(Misfit::NameForm);
        }
        Some(typed) => typed.trim().to_owned(),
        None => {
            let spoken = spoken_name(&wish.label);
            let fits = spoken.len() <= most;
            if fits || wish.label.account.is_empty() { spoken } else { clean(wish.label.account) }
        }
    };
    let full = cut(&words, most).trim_end().to_owned();
    Ok(Name { account: full.clone(), service: None, full })
}

fn spoken_name(label: &Label<'_>) -> String {
    let service = service(label.issuer, label.organisation);
    let account = if label.account.is_empty() { "account" } else { label.account };
    // A credential without issuer whose account looks like `60/x` would be read
    // back as a period; a leading colon keeps the name what it is.
    match service {
        Some(service) => format!("{}:{account}", clean(&service).replace(':', " ")),
        None if has_period(account) => format!(":{account}"),
        None => account.to_owned(),
    }
}

fn service(issuer: Option<&str>, organisation: Option<&str>) -> Option<String> {
    match (issuer, organisation) {
        (Some(issuer), Some(tenant)) if !issuer.eq_ignore_ascii_case(tenant) => {
            Some(format!("{issuer} ({tenant})"))
        }
        (Some(one), _) | (None, Some(one)) => Some(one.to_owned()),
        (None, None) => None,
    }
}

fn clean(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).collect()
}

fn has_period(name: &str) -> bool {
    name.split_once('/')
        .is_some_and(|(head, _)| !head.is_empty() && head.bytes().all(|b| b.is_ascii_digit()))
}

/// Cuts the organisation first, then the account's end, on a character's boundary.
fn shortened(label: &Label<'_>, spoken: &str, most: usize) -> String {
    if let (Some(issuer), Some(tenant)) = (label.issuer, label.organisation) {
        let rest = issuer.len() + " ():".len() + label.account.len();
        if rest < most {
            let tenant = cut(tenant, most - rest).trim_end();
            if !tenant.is_empty() {
                let label = Label { organisation: Some(tenant), ..*label };
                return cut(&spoken_name(&label), most).to_owned();
            }
        }
    }
    // The account tells people of one tenant apart, so it is the last to go.
    let without_tenant = spoken_name(&Label { organisation: None, ..*label });
    [spoken, &without_tenant, label.account]
        .into_iter()
        .find(|name| !name.is_empty() && name.len() <= most)
        .unwrap_or_else(|| cut(label.account, most))
        .to_owned()
}

fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use oath::{Digits, Period};

    use super::*;
    use crate::{ClockRule, Guard, Places, Presence, ProofClass, SameName};

    fn key() -> Capabilities {
        Capabilities {
            access: Access::Writable,
            secret: 1..=64,
            long_secret_hashed: true,
            zeros: ZeroRule::Harmless,
            algorithms: &[Algorithm::Sha1, Algorithm::Sha256],
            digits: &[6, 7, 8],
            period: PeriodRule::InName,
            name: NameRule::Entry(EntryName {
                most_bytes: 64,
                fields: None,
                characters: Characters::Utf8,
                period: PeriodPrefix::SlashUnlessThirty,
                joint: ":",
            }),
            places: Places::Named { most: Some(32), same_name: SameName::Overwrites },
            guard: Guard::None,
            presence: Presence::None,
            clock: ClockRule::None,
            proof: ProofClass::Computes,
        }
    }

    fn display() -> Capabilities {
        Capabilities {
            secret: 1..=63,
            long_secret_hashed: false,
            digits: &[6],
            period: PeriodRule::Stored(&[Period::S30, Period::S60]),
            name: NameRule::None,
            places: Places::Single,
            clock: ClockRule::SetOnWrite { erases_secret: true },
            proof: ProofClass::Displays,
            ..key()
        }
    }

    fn wish<'a>(secret: &'a SharedSecret, parameters: Parameters, label: Label<'a>) -> Wish<'a> {
        Wish { secret, parameters, label, name: None }
    }

    const MICROSOFT: Label<'_> = Label {
        issuer: Some("Microsoft"),
        organisation: Some("Contoso"),
        account: "adele@contoso.com",
    };

    #[test]
    fn the_name_keeps_the_tenant() {
        let secret = SharedSecret::new(vec![1; 10]);
        let name = |label, parameters| {
            let plan = key().plan(&wish(&secret, parameters, label)).expect("fits");
            plan.name().map(str::to_owned)
        };
        let plain = Parameters::default();
        let minute = Parameters { period: Period::S60, ..plain };
        let is = |text: &str| Some(text.to_owned());
        assert_eq!(name(MICROSOFT, plain), is("Microsoft (Contoso):adele@contoso.com"));
        assert_eq!(name(MICROSOFT, minute), is("60/Microsoft (Contoso):adele@contoso.com"));
        let personal = Label { organisation: Some("Microsoft"), ..MICROSOFT };
        assert_eq!(name(personal, plain), is("Microsoft:adele@contoso.com"));
        let bare = Label { account: "60/x", ..Label::default() };
        assert_eq!(name(bare, plain), is(":60/x"));
    }

    #[test]
    fn a_long_name_is_refused_with_a_shorter_one_that_fits() {
        let secret = SharedSecret::new(vec![1; 10]);
        let tenant = "Müller und Söhne Verwaltungsgesellschaft mit beschränkter Haftung";
        let label = Label { organisation: Some(tenant), ..MICROSOFT };
        let misfits = key().plan(&wish(&secret, Parameters::default(), label)).expect_err("long");
        let [Misfit::NameLength { bytes, most: 64, shorter }] = misfits.as_slice() else {
            panic!("{misfits:?}");
        };
        assert!(*bytes > 64);
        assert!(shorter.len() <= 64, "{shorter}");
        assert!(shorter.ends_with(":adele@contoso.com"), "{shorter}");
        let typed = Wish { name: Some(shorter), ..wish(&secret, Parameters::default(), label) };
        assert_eq!(key().plan(&typed).expect("fits").name(), Some(shorter.as_str()));
    }

    #[test]
    fn everything_that_does_not_fit_is_named_at_once() {
        let secret = SharedSecret::new(vec![1; 64]);
        let parameters = Parameters {
            algorithm: Algorithm::Sha512,
            digits: Digits::EIGHT,
            period: Period::new(20).expect("period"),
        };
        let misfits = display().plan(&wish(&secret, parameters, MICROSOFT)).expect_err("misfits");
        assert_eq!(
            misfits,
            [
                Misfit::SecretLength { bytes: 64, least: 1, most: 63 },
                Misfit::Algorithm {
                    wanted: Algorithm::Sha512,
                    known: &[Algorithm::Sha1, Algorithm::Sha256]
                },
                Misfit::Digits { wanted: 8, known: &[6] },
                Misfit::Period { wanted: 20, known: vec![30, 60] },
            ]
        );
    }

    #[test]
    fn a_key_takes_a_secret_longer_than_the_block_and_hashes_it() {
        let secret = SharedSecret::new(vec![1; 80]);
        assert!(key().plan(&wish(&secret, Parameters::default(), MICROSOFT)).is_ok());
        let secret = SharedSecret::new(vec![]);
        assert!(key().plan(&wish(&secret, Parameters::default(), MICROSOFT)).is_err());
    }

    #[test]
    fn a_read_only_token_gets_no_plan() {
        let secret = SharedSecret::new(vec![1; 10]);
        let token =
            Capabilities { access: Access::ReadOnly(ReadOnlyReason::UnknownModel), ..display() };
        let misfits = token.plan(&wish(&secret, Parameters::default(), MICROSOFT));
        assert_eq!(misfits, Err(vec![Misfit::ReadOnly(ReadOnlyReason::UnknownModel)]));
    }

    #[test]
    fn a_typed_name_may_repeat_the_prefix_of_its_own_period() {
        let secret = SharedSecret::new(vec![1; 10]);
        let minute = Parameters { period: Period::S60, ..Parameters::default() };
        for name in ["Contoso:adele", "60/Contoso:adele"] {
            let typed = Wish { name: Some(name), ..wish(&secret, minute, MICROSOFT) };
            assert_eq!(key().plan(&typed).expect("fits").name(), Some("60/Contoso:adele"));
        }
    }

    #[test]
    fn a_typed_name_must_be_a_name() {
        let secret = SharedSecret::new(vec![1; 10]);
        for name in ["", "  ", "a\nb", "60/x"] {
            let typed =
                Wish { name: Some(name), ..wish(&secret, Parameters::default(), MICROSOFT) };
            assert_eq!(key().plan(&typed), Err(vec![Misfit::NameForm]), "{name:?}");
        }
    }

    fn named(
        rule: NameRule,
        label: Label<'_>,
        typed: Option<&str>,
    ) -> Result<WritePlan, Vec<Misfit>> {
        let secret = SharedSecret::new(vec![1; 20]);
        let wish = Wish { secret: &secret, parameters: Parameters::default(), label, name: typed };
        Capabilities { name: rule, ..key() }.plan(&wish)
    }

    const ALICE: Label<'static> = Label {
        issuer: Some("Microsoft"),
        organisation: Some("Zoë GmbH"),
        account: "alice@contoso.com",
    };

    #[test]
    fn a_family_spells_names_its_own_way() {
        let fields = NameRule::Entry(EntryName {
            most_bytes: 129,
            fields: Some((64, 64)),
            characters: Characters::Ascii,
            period: PeriodPrefix::Never,
            joint: ":",
        });
        let plan = named(fields, ALICE, None).expect("fits");
        assert_eq!(plan.service(), Some("Microsoft (Zoe GmbH)"));
        assert_eq!(plan.account(), Some("alice@contoso.com"));
        let feitian = NameRule::Entry(EntryName {
            most_bytes: 64,
            fields: None,
            characters: Characters::Utf8,
            period: PeriodPrefix::ColonAlways,
            joint: "_#_",
        });
        let plan = named(feitian, ALICE, None).expect("fits");
        assert_eq!(plan.name(), Some("30:Microsoft (Zoë GmbH)_#_alice@contoso.com"));
        // The name as it was shown means the same when it is typed back.
        let again = named(feitian, ALICE, plan.name()).expect("fits");
        assert_eq!(again.name(), plan.name());
        let long = named(feitian, ALICE, Some(&"x".repeat(62)));
        assert!(matches!(long, Err(m) if matches!(m[..], [Misfit::NameLength { bytes: 65, .. }])));
    }

    #[test]
    fn a_title_beside_a_place_is_cut_between_characters() {
        let title = NameRule::Title { most_bytes: 12 };
        let plan = named(title, ALICE, None).expect("fits");
        assert_eq!(plan.name(), Some("alice@contos"));
        let plan = named(title, ALICE, Some("Zoë's tököö")).expect("fits");
        assert_eq!(plan.name(), Some("Zoë's tök"));
        assert_eq!(named(title, ALICE, Some(" ")), Err(vec![Misfit::NameForm]));
    }

    #[test]
    fn zeros_are_refused_where_they_mean_something_else() {
        let check = |zeros, secret: &[u8], fits: bool| {
            let secret = SharedSecret::new(secret.to_vec());
            let parameters = Parameters::default();
            let wish = Wish { secret: &secret, parameters, label: ALICE, name: None };
            let plan = Capabilities { zeros, ..key() }.plan(&wish);
            assert_eq!(plan.is_ok(), fits, "{zeros:?}");
        };
        check(ZeroRule::NotAlone, &[0, 0, 0], false);
        check(ZeroRule::NotAlone, &[0, 1, 0], true);
        check(ZeroRule::NoRunOf(4), &[1, 0, 0, 0, 0, 1], false);
        check(ZeroRule::NoRunOf(4), &[1, 0, 0, 0, 1, 0, 0, 0, 0], true);
        check(ZeroRule::NoRunOf(4), &[0, 0, 0, 0], false);
    }
}
