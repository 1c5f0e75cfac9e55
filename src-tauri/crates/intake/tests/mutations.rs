//! Texts with mistakes in them: nothing panics and nothing shows the secret.

use intake::{Finding, Source, classify, classify_each};

/// Numbers that look random and are the same in every run (Knuth's MMIX generator).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit.max(1)
    }
}

/// What a text may hold and no error may show, whatever is done to the text around it.
const CANARY: &str = "CANARY2CANARY3CANARY4CANARY5CANA";

const SEEDS: [&str; 9] = [
    "otpauth://totp/Contoso%3Aadele%40contoso.com?\
     secret=CANARY2CANARY3CANARY4CANARY5CANA&issuer=Microsoft",
    "otpauth://totp/Microsoft:user@outlook.com?\
     secret=CANARY2CANARY3CANARY4CANARY5CANA&issuer=Microsoft",
    "otpauth://totp/Test+Und%2BFirma%3aadele?issuer=x&\
     secret=CANARY2CANARY3CANARY4CANARY5CANA&digits=8&period=60&algorithm=SHA256",
    "OTPAUTH://HOTP/x?SECRET=CANARY2CANARY3CANARY4CANARY5CANA&COUNTER=0",
    "Account name: Contoso:adele@contoso.com\nSecret key: CANARY2CANARY3CANARY4CANARY5CANA",
    "CANARY2CANARY3CANARY4CANARY5CANA",
    "otpauth://totp/a?\
     secret=CANARY2CANARY3CANARY4CANARY5CANA\n\
     otpauth://totp/b?secret=CANARY2CANARY3CANARY4CANARY5CANB",
    "otpauth-migration://offline?data=CANARY2CANARY3CANARY4CANARY5CANA",
    "phonefactor://activate_account?code=123456789&\
     url=https%3a%2f%2fCANARY2CANARY3CANARY4CANARY5CANA.phonefactor.net",
];

const PIECES: [&str; 30] = [
    "%",
    "%3",
    "%3A",
    "%3a",
    "%2B",
    "%00",
    "%FF",
    ":",
    "?",
    "&",
    "=",
    "#",
    "/",
    "//",
    "+",
    " ",
    "\n",
    "\r\n",
    "\u{202e}",
    "\u{feff}",
    "é",
    "😀",
    "0",
    "1",
    "8",
    "secret=",
    "digits=",
    "period=-1",
    "otpauth://",
    "@",
];

fn mutate(numbers: &mut Numbers, text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(characters.len() + 1);
        match numbers.below(5) {
            0 => {
                let piece = PIECES[numbers.below(PIECES.len())];
                characters.splice(at..at, piece.chars());
            }
            1 if at < characters.len() => {
                characters.remove(at);
            }
            2 if at < characters.len() => {
                let piece = PIECES[numbers.below(PIECES.len())];
                characters[at] = piece.chars().next().unwrap_or('x');
            }
            3 => characters.truncate(at.max(1)),
            _ => {
                let end = (at + numbers.below(20)).min(characters.len());
                let copy: Vec<char> = characters[at..end].to_vec();
                let to = numbers.below(characters.len() + 1);
                characters.splice(to..to, copy);
            }
        }
    }
    characters.into_iter().collect()
}

/// Everything of a finding that may reach a log or the window, except the names.
fn shown(finding: &Finding) -> String {
    let facts = match finding {
        Finding::Credential(credential) => {
            credential.notes().iter().flat_map(intake::Note::facts).collect()
        }
        Finding::Unusable(error) => {
            let mut facts = error.facts();
            facts.push(("display", error.to_string()));
            facts
        }
        Finding::Foreign(foreign) => foreign.facts(),
    };
    format!("{finding:?} {:?} {facts:?}", finding.code())
}

#[test]
fn mutated_texts_never_panic_and_never_show_the_secret() {
    let mut numbers = Numbers(2030);
    for round in 0..200_000 {
        let text = mutate(&mut numbers, SEEDS[round % SEEDS.len()]);
        let source = if round % 2 == 0 { Source::Picture } else { Source::Typed };
        let shown = shown(&classify(&text, source)).to_uppercase();
        // Five letters of it would be a leak; words like "cannot" have three.
        assert!(!shown.contains(&CANARY[..5]), "round {round}");
        if round % 16 == 0 {
            let _findings = classify_each(&text, source);
        }
    }
}

#[test]
fn random_characters_never_panic() {
    let mut numbers = Numbers(4226);
    for _ in 0..20_000 {
        let length = numbers.below(80);
        let text: String = (0..length)
            .map(|_| match numbers.below(4) {
                0 => PIECES[numbers.below(PIECES.len())].to_owned(),
                1 => char::from_u32(u32::try_from(numbers.below(0x11_0000)).unwrap_or(0))
                    .unwrap_or('\u{fffd}')
                    .to_string(),
                _ => char::from(u8::try_from(numbers.below(128)).unwrap_or(0)).to_string(),
            })
            .collect();
        for source in [Source::Picture, Source::Typed] {
            let _finding = classify(&format!("otpauth://totp/{text}"), source);
            let _finding = classify(&text, source);
        }
    }
}
