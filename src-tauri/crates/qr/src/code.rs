//! A code that was read: its text and where it is.

use std::fmt;

use zeroize::Zeroizing;

/// Four points in pixels: top left, top right, bottom right, bottom left of the code
/// itself, so a code on its head has its first corner at the bottom right.
pub(crate) type Corners = [(f32, f32); 4];

/// One code of a picture.
///
/// The text is a secret: it is wiped when dropped, `Debug` shows its length, and it
/// is read through [`FoundCode::text`] alone.
#[derive(PartialEq)]
pub struct FoundCode {
    text: Zeroizing<String>,
    /// Top left, top right, bottom right and bottom left corner in pixels of the
    /// picture, as the code stands (a turned code has turned corners).
    pub corners: Corners,
}

impl FoundCode {
    pub(crate) fn new(text: Zeroizing<String>, corners: Corners) -> Self {
        Self { text, corners }
    }

    /// The text. Whoever calls this answers for where it goes.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text itself, taken out.
    pub fn into_text(self) -> Zeroizing<String> {
        self.text
    }

    /// The same code in a picture where its points lie elsewhere.
    pub(crate) fn placed(mut self, place: impl Fn((f32, f32)) -> (f32, f32)) -> Self {
        self.corners = self.corners.map(place);
        self
    }
}

impl fmt::Debug for FoundCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FoundCode")
            .field("text", &format_args!("{} bytes", self.text.len()))
            .field("corners", &self.corners)
            .finish()
    }
}

/// Adds `found` to `codes`, leaving out what is already there at the same place.
///
/// Two texts at one place both stay: an animation may show one after the other.
pub(crate) fn join(codes: &mut Vec<FoundCode>, found: Vec<FoundCode>) {
    for code in found {
        let known = codes
            .iter()
            .any(|other| other.text == code.text && overlap(&other.corners, &code.corners));
        if !known {
            codes.push(code);
        }
    }
}

/// Reading order: rows top to bottom, in a row left to right.
///
/// Codes whose centres are less than half a code apart in height make one row, so
/// that a sheet held a little askew is still read row by row.
pub(crate) fn sort(codes: &mut Vec<FoundCode>) {
    codes.sort_by(|a, b| centre(&a.corners).1.total_cmp(&centre(&b.corners).1));
    let mut sorted: Vec<FoundCode> = Vec::with_capacity(codes.len());
    let mut row: Vec<FoundCode> = Vec::new();
    for code in codes.drain(..) {
        let same_row = row.first().is_none_or(|first| {
            centre(&code.corners).1 - centre(&first.corners).1 < diameter(&first.corners) * 0.35
        });
        if !same_row {
            append_row(&mut sorted, &mut row);
        }
        row.push(code);
    }
    append_row(&mut sorted, &mut row);
    *codes = sorted;
}

fn append_row(sorted: &mut Vec<FoundCode>, row: &mut Vec<FoundCode>) {
    row.sort_by(|a, b| centre(&a.corners).0.total_cmp(&centre(&b.corners).0));
    sorted.append(row);
}

/// Whether two quadrilaterals are at the same place: nearer than half a code.
pub(crate) fn overlap(a: &Corners, b: &Corners) -> bool {
    let ((ax, ay), (bx, by)) = (centre(a), centre(b));
    (ax - bx).hypot(ay - by) < 0.35 * diameter(a).max(diameter(b)).max(8.0)
}

fn centre(corners: &Corners) -> (f32, f32) {
    let (x, y) = corners.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
    (x / 4.0, y / 4.0)
}

/// The length of the diagonal in pixels.
pub(crate) fn diameter(corners: &Corners) -> f32 {
    (corners[0].0 - corners[2].0).hypot(corners[0].1 - corners[2].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, x: f32, y: f32) -> FoundCode {
        let corners = [(x, y), (x + 10.0, y), (x + 10.0, y + 10.0), (x, y + 10.0)];
        FoundCode::new(Zeroizing::new(text.to_owned()), corners)
    }

    #[test]
    fn reading_order_survives_a_sheet_held_askew() {
        let mut codes = vec![at("d", 20.0, 23.0), at("b", 20.0, 0.0), at("c", 0.0, 25.0)];
        codes.push(at("a", 0.0, 2.0));
        sort(&mut codes);
        let order: String = codes.iter().map(FoundCode::text).collect();
        assert_eq!(order, "abcd");
    }

    #[test]
    fn doubles_are_joined_and_namesakes_elsewhere_stay() {
        let mut codes = vec![];
        join(&mut codes, vec![at("a", 0.0, 0.0), at("a", 1.0, 1.0), at("b", 0.0, 0.0)]);
        join(&mut codes, vec![at("a", 50.0, 0.0)]);
        assert_eq!(codes.len(), 3);
    }

    #[test]
    fn debug_hides_the_text() {
        let shown = format!("{:?}", at("canary", 0.0, 0.0));
        assert!(shown.contains("6 bytes") && !shown.contains("canary"), "{shown}");
    }
}
