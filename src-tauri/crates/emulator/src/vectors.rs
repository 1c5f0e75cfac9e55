//! Reads the conversations in `tests/vectors`; the files say their format.

/// One exchange of a conversation.
pub(crate) struct Vector {
    /// The comment before it.
    pub(crate) about: String,
    pub(crate) request: Vec<u8>,
    pub(crate) answer: Vec<u8>,
    /// The code that the token shows at a time, if the file says one.
    pub(crate) shows: Option<(String, u64)>,
}

/// The sections of a file, each with its title and its exchanges.
pub(crate) fn sections(text: &str) -> Vec<(String, Vec<Vector>)> {
    let mut sections: Vec<(String, Vec<Vector>)> = Vec::new();
    let mut about = String::new();
    for line in text.lines() {
        let Some((mark, rest)) = line.split_at_checked(1) else {
            continue;
        };
        let rest = rest.trim();
        let vectors = sections.last_mut().map(|(_, vectors)| vectors);
        match (mark, vectors) {
            ("[", _) => sections.push((rest.trim_end_matches(']').to_owned(), Vec::new())),
            ("#", _) => rest.clone_into(&mut about),
            (">", Some(vectors)) => vectors.push(Vector {
                about: about.clone(),
                request: unhex(rest),
                answer: Vec::new(),
                shows: None,
            }),
            ("<", Some(vectors)) => last(vectors).answer = unhex(rest),
            ("=", Some(vectors)) => {
                let (code, at) = rest.split_once(" at ").expect("`= code at seconds`");
                let at = at.parse().expect("seconds since 1970");
                last(vectors).shows = Some((code.to_owned(), at));
            }
            _ => panic!("not a line of a vector file: {line}"),
        }
    }
    sections
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| u8::try_from(c.to_digit(16).expect("hex")).expect("a half byte"))
        .collect();
    assert!(digits.len().is_multiple_of(2), "half a byte in {text}");
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn last(vectors: &mut [Vector]) -> &mut Vector {
    vectors.last_mut().expect("a request comes first")
}
