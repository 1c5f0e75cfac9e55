//! From what a person hands over to the pieces that can be chosen: pictures, texts
//! and files of any kind, one or many.

use std::collections::BTreeMap;

use intake::{Answers, Credential, Entry, Question, Reading, Remark};
use qr::{Effort, PictureError};
use zeroize::Zeroizing;

use crate::input::{Bytes, Input};
use crate::reading::said;
use crate::run::Corners;
use crate::{FindingView, PictureView, Problem, SaidView, present};

/// What lies on the table, in reading order. Seeds of two accounts are two pieces;
/// nobody but the operator says which one is meant.
#[derive(Default)]
pub(crate) struct Found {
    /// Size of the picture in pixels, where there is one alone.
    size: Option<(u32, u32)>,
    unread: u32,
    title: Option<String>,
    pieces: Vec<Piece>,
    remarks: Vec<SaidView>,
    /// The codes of an export of which pictures are missing, until they come.
    export: Vec<Zeroizing<String>>,
}

/// One code of a picture or one entry of a file. Its credential is absent while it
/// is in use, and where there is none: `said` tells why.
#[derive(Default)]
struct Piece {
    credential: Option<Credential>,
    said: Option<(Kind, SaidView)>,
    name: String,
    token: Option<String>,
    file: Option<String>,
    corners: Option<Corners>,
}

/// Among which words a code is looked up.
#[derive(Clone, Copy)]
enum Kind {
    Finding,
    Problem,
    Question,
}

/// What handing something over comes to.
pub(crate) enum Handed {
    Found(Found),
    /// It has to be read again with an answer.
    Asked(Question),
}

/// Reads what was handed over. One file alone may ask; among several, a file that
/// would ask is named and left for itself. `begun` are the codes of an export that was
/// begun with earlier pictures.
pub(crate) fn read(
    inputs: &[Input],
    answers: &Answers,
    begun: Vec<Zeroizing<String>>,
    effort: Effort,
) -> Result<Handed, Problem> {
    match inputs {
        [] => Err(Problem::new("folder-empty", [])),
        [only] => read_one(only.bytes.as_ref().map_err(Clone::clone)?, answers, begun, effort),
        several => Ok(Handed::Found(read_several(several, answers, begun, effort))),
    }
}

fn read_one(
    bytes: &Bytes,
    answers: &Answers,
    begun: Vec<Zeroizing<String>>,
    effort: Effort,
) -> Result<Handed, Problem> {
    let picture = match qr::read(bytes, effort) {
        Ok(picture) => picture,
        Err(PictureError::Empty | PictureError::NotAPicture) => {
            return Ok(handed(intake::read(bytes, answers), None));
        }
        Err(error) => return Err(Problem::from(&error)),
    };
    let unread = count(picture.unread);
    if picture.codes.is_empty() {
        return Err(Problem::no_code_found(unread));
    }
    let corners: Vec<Corners> = picture.codes.iter().map(|code| code.corners).collect();
    let texts: Vec<_> = picture.codes.into_iter().map(qr::FoundCode::into_text).collect();
    let mut result = read_codes(texts, answers, begun, &corners);
    if let Handed::Found(found) = &mut result {
        found.size = Some((picture.width, picture.height));
        found.unread = unread;
    }
    Ok(result)
}

/// The texts of codes, with the earlier ones of the same export.
fn read_codes(
    texts: Vec<Zeroizing<String>>,
    answers: &Answers,
    begun: Vec<Zeroizing<String>>,
    corners: &[Corners],
) -> Handed {
    let exported: Vec<_> = texts.iter().filter(|text| intake::is_export(text)).cloned().collect();
    if exported.is_empty() {
        let texts: Vec<&str> = texts.iter().map(|text| text.as_str()).collect();
        return handed(intake::read_codes(&texts, answers), Some(corners));
    }
    let mut all = begun;
    all.extend(texts);
    let texts: Vec<&str> = all.iter().map(|text| text.as_str()).collect();
    let reading = intake::read_codes(&texts, answers);
    let incomplete = matches!(&reading, Reading::Entries(entries)
        if entries.remarks.iter().any(|remark| matches!(remark, Remark::Incomplete { .. })));
    let mut result = handed(reading, None);
    if let (Handed::Found(found), true) = (&mut result, incomplete) {
        all.retain(|text| intake::is_export(text));
        found.export = all;
    }
    result
}

fn read_several(
    inputs: &[Input],
    answers: &Answers,
    begun: Vec<Zeroizing<String>>,
    effort: Effort,
) -> Found {
    let mut found = Found::default();
    // Codes of one export may be spread over the pictures; all others belong to the
    // file that they were read from.
    let mut exported = Vec::new();
    for input in inputs {
        let bytes = match &input.bytes {
            Ok(bytes) => bytes,
            Err(problem) => {
                found.pieces.push(Piece::problem(problem.clone(), &input.name));
                continue;
            }
        };
        match qr::read(bytes, effort) {
            Ok(picture) if picture.codes.is_empty() => {
                let problem = Problem::no_code_found(count(picture.unread));
                found.pieces.push(Piece::problem(problem, &input.name));
            }
            Ok(picture) => {
                found.unread += count(picture.unread);
                let texts = picture.codes.into_iter().map(qr::FoundCode::into_text);
                let (parts, others): (Vec<_>, Vec<_>) =
                    texts.partition(|text| intake::is_export(text));
                exported.extend(parts);
                let others: Vec<&str> = others.iter().map(|text| text.as_str()).collect();
                if !others.is_empty() {
                    found.add(intake::read_codes(&others, answers), Some(&input.name));
                }
            }
            Err(PictureError::Empty | PictureError::NotAPicture) => {
                found.add(intake::read(bytes, answers), Some(&input.name));
            }
            Err(error) => {
                found.pieces.push(Piece::problem(Problem::from(&error), &input.name));
            }
        }
    }
    if !exported.is_empty()
        && let Handed::Found(export) = read_codes(exported, answers, begun, &[])
    {
        found.title = export.title;
        found.pieces.extend(export.pieces);
        found.remarks.extend(export.remarks);
        found.export = export.export;
    }
    found
}

/// `corners` are those of the codes, in the order of their texts.
fn handed(reading: Reading, corners: Option<&[Corners]>) -> Handed {
    if let Reading::Question(question) = reading {
        return Handed::Asked(question);
    }
    let mut found = Found::default();
    found.add(reading, None);
    // A code that held a list has several entries: none of them is at its place alone.
    if let Some(corners) = corners.filter(|corners| corners.len() == found.pieces.len()) {
        for (piece, corners) in found.pieces.iter_mut().zip(corners) {
            piece.corners = Some(*corners);
        }
    }
    Handed::Found(found)
}

impl Found {
    /// The finding that stands alone, with nothing that a person should look at first.
    pub(crate) fn single(&self) -> Option<usize> {
        let alone = matches!(self.pieces.as_slice(), [Piece { credential: Some(_), .. }]);
        (alone && self.unread == 0 && self.remarks.is_empty()).then_some(0)
    }

    /// Whether a person had to look and choose.
    pub(crate) fn is_choice(&self) -> bool {
        self.pieces.len() > 1 || self.unread > 0 || !self.remarks.is_empty()
    }

    /// Whether it is one picture with codes that stand each for itself.
    pub(crate) fn is_codes(&self) -> bool {
        self.size.is_some() && self.pieces.iter().all(|piece| piece.corners.is_some())
    }

    /// Whether a code that was not read may still be in it.
    pub(crate) fn is_missing_codes(&self) -> bool {
        let missed = |piece: &Piece| {
            matches!(&piece.said, Some((Kind::Problem, said))
                if Problem::NO_CODE.contains(&said.code.as_str()))
        };
        self.unread > 0 || self.pieces.iter().any(missed)
    }

    /// The codes of an export that goes on in another picture.
    pub(crate) fn begun(&self) -> Vec<Zeroizing<String>> {
        self.export.clone()
    }

    /// The reason, if it is one of `codes` and there is nothing else.
    pub(crate) fn refused(&self, codes: &[&str]) -> Option<SaidView> {
        match self.pieces.as_slice() {
            [Piece { credential: None, said: Some((Kind::Finding, said)), .. }]
                if codes.contains(&said.code.as_str()) =>
            {
                Some(said.clone())
            }
            _ => None,
        }
    }

    /// Takes out a credential, to be used.
    pub(crate) fn take(&mut self, index: usize) -> Option<Credential> {
        self.pieces.get_mut(index)?.credential.take()
    }

    /// Puts a credential back that was not used after all.
    pub(crate) fn put_back(&mut self, index: usize, credential: Credential) {
        if let Some(piece) = self.pieces.get_mut(index) {
            piece.credential = Some(credential);
        }
    }

    /// `longer` tells whether a longer look is possible.
    pub(crate) fn view(&self, longer: bool) -> PictureView {
        let (width, height) = self.size.unwrap_or_default();
        let findings = (0u32..).zip(&self.pieces).filter_map(|(id, piece)| piece.view(id));
        PictureView {
            width,
            height,
            unread: self.unread,
            longer,
            title: self.title.clone(),
            findings: findings.collect(),
            remarks: self.remarks.clone(),
        }
    }

    fn add(&mut self, reading: Reading, file: Option<&str>) {
        let file = file.map(ToOwned::to_owned);
        let kept = |kind, said| Piece { said: Some((kind, said)), ..Piece::default() };
        let pieces = match reading {
            Reading::Entries(found) => {
                // One text that is one credential needs no heading.
                if found.entries.len() > 1 || !found.remarks.is_empty() {
                    self.title = Some(found.form.name().to_owned());
                }
                let remarks = found.remarks.iter();
                self.remarks.extend(remarks.map(|told| said(told.code(), told.facts())));
                found.entries.into_iter().map(Piece::entry).collect()
            }
            Reading::Question(question) => {
                vec![kept(Kind::Question, said(question.code(), question.facts()))]
            }
            Reading::Refused(refusal) => {
                vec![kept(Kind::Finding, said(refusal.code(), refusal.facts()))]
            }
        };
        self.pieces.extend(pieces.into_iter().map(|piece| Piece { file: file.clone(), ..piece }));
    }
}

impl Piece {
    fn entry(entry: Entry) -> Self {
        let token: Vec<String> =
            [entry.serial, entry.manufacturer, entry.model].into_iter().flatten().collect();
        let (credential, why) = match entry.what {
            Ok(credential) => (Some(credential), None),
            Err(error) => (None, Some((Kind::Finding, said(error.code(), error.facts())))),
        };
        Self {
            credential,
            said: why,
            name: entry.name,
            token: (!token.is_empty()).then(|| token.join(", ")),
            ..Self::default()
        }
    }

    fn problem(problem: Problem, file: &str) -> Self {
        let said = SaidView { code: problem.code, facts: problem.facts };
        Self { said: Some((Kind::Problem, said)), file: Some(file.to_owned()), ..Self::default() }
    }

    /// Nothing for a piece that is in use.
    fn view(&self, id: u32) -> Option<FindingView> {
        let (kind, code, facts) = match (&self.credential, &self.said) {
            (Some(_), _) => (Kind::Finding, "credential".to_owned(), BTreeMap::new()),
            (None, Some((kind, said))) => (*kind, said.code.clone(), said.facts.clone()),
            (None, None) => return None,
        };
        Some(FindingView {
            id,
            kind: kind.code().to_owned(),
            code,
            facts,
            credential: self.credential.as_ref().map(present::credential),
            name: self.name.clone(),
            token: self.token.clone(),
            file: self.file.clone(),
            corners: self.corners,
        })
    }
}

impl Kind {
    const fn code(self) -> &'static str {
        match self {
            Self::Finding => "finding",
            Self::Problem => "problem",
            Self::Question => "question",
        }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
