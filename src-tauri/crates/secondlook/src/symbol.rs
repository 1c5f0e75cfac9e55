//! The structure of a QR code symbol: what stands where in each of its 40 versions.
//!
//! ISO/IEC 18004 sections 5.3 (structure), 7.5.1 (table 9, error correction), 7.7.3
//! (placement), 7.10 (version information) and annex E (alignment patterns). Modules
//! are counted from the top left one, columns first.

use std::sync::OnceLock;

/// 1 to 40.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(u8);

/// How much of a symbol is parity; the order is that of table 9.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    L,
    M,
    Q,
    H,
}

/// What one module is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Module {
    /// It carries a bit of a codeword, or one of the remainder bits.
    Data,
    /// A function pattern or version information, light in every symbol of the version.
    Light,
    /// The same, dark.
    Dark,
    /// Format information: depends on error correction level and mask.
    Format,
}

/// A module that is known beforehand and how much it says about the grid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Landmark {
    pub(crate) column: usize,
    pub(crate) row: usize,
    /// Positive for dark modules, negative for light ones. Modules of finder patterns
    /// weigh half: they are many, and the grid was fitted to them to begin with.
    pub(crate) weight: f32,
}

/// Everything about a version that does not depend on its content.
pub(crate) struct Layout {
    pub(crate) version: Version,
    /// Modules in a row.
    pub(crate) side: usize,
    /// Row by row.
    pub(crate) modules: Vec<Module>,
    /// Indices of the data modules in the order in which bits are placed, without the
    /// remainder bits.
    pub(crate) path: Vec<usize>,
    /// All light and dark modules.
    pub(crate) landmarks: Vec<Landmark>,
    /// Those of the timing patterns.
    pub(crate) timing: Vec<Landmark>,
    /// Those that are not near a finder pattern.
    pub(crate) far: Vec<Landmark>,
    /// Columns and rows of the alignment patterns' centres.
    pub(crate) alignment: Vec<(usize, usize)>,
}

/// How the codewords of a symbol are split for error correction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Blocks {
    /// Number of blocks.
    pub(crate) count: usize,
    /// Parity codewords in each.
    pub(crate) parity: usize,
}

impl Version {
    pub(crate) fn new(number: usize) -> Option<Self> {
        u8::try_from(number).ok().filter(|number| (1..=40).contains(number)).map(Self)
    }

    pub(crate) fn number(self) -> usize {
        usize::from(self.0)
    }

    /// Modules in a row.
    pub(crate) fn side(self) -> usize {
        17 + 4 * self.number()
    }

    pub(crate) fn blocks(self, level: Level) -> Blocks {
        let column = self.number() - 1;
        let row = match level {
            Level::L => 0,
            Level::M => 1,
            Level::Q => 2,
            Level::H => 3,
        };
        Blocks { count: usize::from(COUNTS[row][column]), parity: usize::from(PARITY[row][column]) }
    }

    /// Made at the first use and kept: it is asked for at every attempt.
    pub(crate) fn layout(self) -> &'static Layout {
        static LAYOUTS: [OnceLock<Layout>; 40] = [const { OnceLock::new() }; 40];
        LAYOUTS[self.number() - 1].get_or_init(|| Layout::of(self))
    }

    /// Rows and columns of the alignment patterns' centres (annex E).
    fn alignment_centres(self) -> Vec<usize> {
        if self.number() == 1 {
            return vec![];
        }
        let count = self.number() / 7 + 2;
        let last = self.side() - 7;
        // The distance is the least even one that fits; version 32 has less.
        let step = match self.number() {
            32 => 26,
            _ => (last - 6).div_ceil(count - 1).next_multiple_of(2),
        };
        let mut centres: Vec<usize> = (0..count - 1).map(|i| last - i * step).collect();
        centres.push(6);
        centres.reverse();
        centres
    }
}

impl Layout {
    fn of(version: Version) -> Self {
        let side = version.side();
        let mut drawing = Drawing { side, modules: vec![Module::Data; side * side] };
        drawing.timing_patterns();
        drawing.finder_patterns();
        let alignment = alignment_patterns(&version.alignment_centres(), side);
        drawing.alignment_patterns(&alignment);
        drawing.format_information();
        if version.number() >= 7 {
            drawing.version_information(version);
        }
        let modules = drawing.modules;
        let near_finder = |column: usize, row: usize| {
            let (low, high) = (8, side - 8);
            (column < low && (row < low || row >= high)) || (column >= high && row < low)
        };
        let landmarks: Vec<Landmark> = (0..side * side)
            .filter_map(|index| {
                let (column, row) = (index % side, index / side);
                let weight = if near_finder(column, row) { 0.5 } else { 1.0 };
                match modules[index] {
                    Module::Dark => Some(Landmark { column, row, weight }),
                    Module::Light => Some(Landmark { column, row, weight: -weight }),
                    Module::Data | Module::Format => None,
                }
            })
            .collect();
        let some = |wanted: fn(&Landmark) -> bool| {
            landmarks.iter().filter(|landmark| wanted(landmark)).copied().collect::<Vec<_>>()
        };
        let far = some(|landmark| landmark.weight.abs() > 0.5);
        let timing = some(|landmark| {
            landmark.weight.abs() > 0.5 && (landmark.column == 6 || landmark.row == 6)
        });
        let path = path(side, &modules);
        Self { version, side, modules, path, landmarks, timing, far, alignment }
    }

    /// Codewords of the symbol, data and parity together.
    pub(crate) fn codewords(&self) -> usize {
        self.path.len() / 8
    }
}

struct Drawing {
    side: usize,
    modules: Vec<Module>,
}

impl Drawing {
    fn set(&mut self, column: usize, row: usize, dark: bool) {
        self.modules[row * self.side + column] = if dark { Module::Dark } else { Module::Light };
    }

    fn timing_patterns(&mut self) {
        for i in 0..self.side {
            self.set(i, 6, i % 2 == 0);
            self.set(6, i, i % 2 == 0);
        }
    }

    /// The three finder patterns and their separators.
    fn finder_patterns(&mut self) {
        let far = self.side - 7;
        for (left, top) in [(0, 0), (far, 0), (0, far)] {
            for row in top.saturating_sub(1)..(top + 8).min(self.side) {
                for column in left.saturating_sub(1)..(left + 8).min(self.side) {
                    let ring = column.abs_diff(left + 3).max(row.abs_diff(top + 3));
                    self.set(column, row, ring != 2 && ring != 4);
                }
            }
        }
    }

    fn alignment_patterns(&mut self, centres: &[(usize, usize)]) {
        for &(x, y) in centres {
            for row in y - 2..=y + 2 {
                for column in x - 2..=x + 2 {
                    self.set(column, row, column.abs_diff(x).max(row.abs_diff(y)) != 1);
                }
            }
        }
    }

    fn format_information(&mut self) {
        for bit in 0..15 {
            for (column, row) in format_places(self.side, bit) {
                self.modules[row * self.side + column] = Module::Format;
            }
        }
        self.set(8, self.side - 8, true);
    }

    /// Eighteen bits, twice, the second time transposed.
    fn version_information(&mut self, version: Version) {
        let bits = version_bits(version);
        for bit in 0..18 {
            let dark = (bits >> bit) & 1 == 1;
            let (near, far) = (bit / 3, self.side - 11 + bit % 3);
            self.set(far, near, dark);
            self.set(near, far, dark);
        }
    }
}

/// Where rows and columns of centres cross, save at the finder patterns.
fn alignment_patterns(centres: &[usize], side: usize) -> Vec<(usize, usize)> {
    let (first, last) = (6, side - 7);
    let finders = [(first, first), (first, last), (last, first)];
    let crossings = centres.iter().flat_map(|&x| centres.iter().map(move |&y| (x, y)));
    crossings.filter(|crossing| !finders.contains(crossing)).collect()
}

/// Column and row of a bit of the format information, in both copies (figure 25).
pub(crate) fn format_places(side: usize, bit: usize) -> [(usize, usize); 2] {
    let first = match bit {
        0..=5 => (8, bit),
        6 => (8, 7),
        7 => (8, 8),
        8 => (7, 8),
        _ => (14 - bit, 8),
    };
    let second = if bit < 8 { (side - 1 - bit, 8) } else { (8, side - 15 + bit) };
    [first, second]
}

/// The version number with its Golay parity (annex D).
fn version_bits(version: Version) -> u32 {
    let number = u32::from(version.0);
    let mut rest = number;
    for _ in 0..12 {
        rest = (rest << 1) ^ ((rest >> 11) * 0x1f25);
    }
    (number << 12) | (rest & 0xfff)
}

/// Two columns at a time from the right, upwards and downwards in turn.
fn path(side: usize, modules: &[Module]) -> Vec<usize> {
    let mut path = Vec::new();
    let mut upwards = true;
    // The vertical timing pattern takes a column of its own and shifts the pairs.
    let rights = (1..side).rev().filter(|&x| if x > 6 { x % 2 == 0 } else { x % 2 == 1 });
    for right in rights {
        for step in 0..side {
            let row = if upwards { side - 1 - step } else { step };
            for column in [right, right - 1] {
                let index = row * side + column;
                if modules[index] == Module::Data {
                    path.push(index);
                }
            }
        }
        upwards = !upwards;
    }
    path.truncate(path.len() / 8 * 8);
    path
}

/// Parity codewords in a block, by level and version (table 9).
#[rustfmt::skip]
const PARITY: [[u8; 40]; 4] = [
    [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28,
     28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
    [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26,
     26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28],
    [13, 22, 18, 26, 18, 24, 18, 22, 20, 24, 28, 26, 24, 20, 30, 24, 28, 28, 26, 30,
     28, 30, 30, 30, 30, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
    [17, 28, 22, 16, 22, 28, 26, 26, 24, 28, 24, 28, 22, 24, 24, 30, 28, 28, 26, 28,
     30, 24, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
];

/// Blocks of a symbol, by level and version (table 9).
#[rustfmt::skip]
const COUNTS: [[u8; 40]; 4] = [
    [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8,
     8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25],
    [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16,
     17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49],
    [1, 1, 2, 2, 4, 4, 6, 6, 8, 8, 8, 10, 12, 16, 12, 17, 16, 18, 21, 20,
     23, 23, 25, 27, 29, 34, 34, 35, 38, 40, 43, 45, 48, 51, 53, 56, 59, 62, 65, 68],
    [1, 1, 2, 4, 4, 4, 5, 6, 8, 8, 11, 11, 16, 16, 18, 16, 19, 21, 25, 25,
     25, 34, 30, 32, 35, 37, 40, 42, 45, 48, 51, 54, 57, 60, 63, 66, 70, 74, 77, 81],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codewords_are_those_of_the_standard() {
        // Table 1, column "data capacity".
        for (number, codewords) in
            [(1, 26), (2, 44), (6, 172), (7, 196), (14, 581), (21, 1156), (32, 2465), (40, 3706)]
        {
            let version = Version::new(number).expect("1 to 40");
            assert_eq!(version.layout().codewords(), codewords, "version {number}");
        }
    }

    #[test]
    fn alignment_patterns_are_those_of_annex_e() {
        for (number, centres) in [
            (2, &[6, 18][..]),
            (7, &[6, 22, 38]),
            (15, &[6, 26, 48, 70]),
            (32, &[6, 34, 60, 86, 112, 138]),
            (36, &[6, 24, 50, 76, 102, 128, 154]),
            (40, &[6, 30, 58, 86, 114, 142, 170]),
        ] {
            let version = Version::new(number).expect("1 to 40");
            assert_eq!(version.alignment_centres(), centres, "version {number}");
        }
    }

    #[test]
    fn version_information_is_that_of_annex_d() {
        // Table D.1.
        for (number, bits) in [(7, 0x07c94), (21, 0x15683), (40, 0x28c69)] {
            assert_eq!(version_bits(Version::new(number).expect("1 to 40")), bits);
        }
    }

    #[test]
    fn numbers_that_are_no_version() {
        assert!([0, 41, 300].into_iter().all(|number| Version::new(number).is_none()));
    }
}
