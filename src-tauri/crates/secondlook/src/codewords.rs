//! Soft modules to data codewords: format information, mask, blocks, correction.
//!
//! The reference decode algorithm of ISO/IEC 18004 section 12, with one difference: a
//! module is not dark or light but has a value whose sign is the guess and whose size
//! says how sure it is. The format is the one that both copies together speak for most,
//! and the least sure codewords of a block are erased step by step until it is a code
//! block. A correction that chance could have made is refused (section 7.5.1 reserves
//! codewords against that; here the chance itself is reckoned).

use zeroize::Zeroizing;

use crate::reed_solomon;
use crate::symbol::{Layout, Level, Version, format_places};

/// Values of the modules of one symbol, row by row: positive for dark.
pub(crate) struct SoftModules {
    version: Version,
    values: Vec<f32>,
}

/// The most that a wrong correction may be likely, as a decimal logarithm. A hopeless
/// picture sees a few thousand attempts.
const CHANCE: f32 = -8.0;

impl SoftModules {
    /// `None` when the values are not as many as the version has modules.
    pub(crate) fn new(version: Version, values: Vec<f32>) -> Option<Self> {
        (values.len() == version.side().pow(2)).then_some(Self { version, values })
    }

    /// The same symbol seen in a mirror.
    pub(crate) fn mirrored(&self) -> Self {
        let side = self.version.side();
        let values =
            (0..side * side).map(|i| self.values[i % side * side + i / side]).collect::<Vec<_>>();
        Self { version: self.version, values }
    }

    /// How much the format information speaks for one of the formats; less than
    /// [`LEAST_SUPPORT`] is noise.
    pub(crate) fn support(&self) -> f32 {
        self.formats().first().map_or(0.0, |format| format.support)
    }

    /// The data codewords of all blocks, in order.
    pub(crate) fn data(&self) -> Option<Zeroizing<Vec<u8>>> {
        let formats = self.formats();
        let best = formats.first()?.support;
        formats
            .iter()
            .take(2)
            .take_while(|format| format.support > 0.6 * best)
            .find_map(|format| self.data_with(format))
    }

    /// All formats, the likeliest first, if one of them is likely at all.
    fn formats(&self) -> Vec<Format> {
        let side = self.version.side();
        let mut bits = [0.0; 15];
        for (bit, sum) in bits.iter_mut().enumerate() {
            for (column, row) in format_places(side, bit) {
                *sum += self.values[row * side + column].clamp(-1.0, 1.0);
            }
        }
        let mut formats: Vec<Format> =
            (0..32).map(|number| Format::supported_by(number, &bits)).collect();
        formats.sort_by(|a, b| b.support.total_cmp(&a.support));
        if formats[0].support < LEAST_SUPPORT { vec![] } else { formats }
    }

    fn data_with(&self, format: &Format) -> Option<Zeroizing<Vec<u8>>> {
        let layout = self.version.layout();
        let (codewords, certainty) = self.codewords(layout, format.mask);
        let blocks = self.version.blocks(format.level);
        let mut data = Zeroizing::new(Vec::new());
        let mut chance = 0.0;
        for places in block_places(codewords.len(), blocks.count, blocks.parity) {
            let received: Zeroizing<Vec<u8>> =
                Zeroizing::new(places.iter().map(|&place| codewords[place]).collect());
            let mut doubt: Vec<usize> = (0..places.len()).collect();
            doubt.sort_by(|&a, &b| certainty[places[a]].total_cmp(&certainty[places[b]]));
            let (block, likely) = correct(&received, blocks.parity, &doubt)?;
            chance += likely;
            data.extend_from_slice(&block[..places.len() - blocks.parity]);
        }
        (chance < CHANCE).then_some(data)
    }

    /// The codewords in the order of placement, and how sure each is.
    fn codewords(&self, layout: &Layout, mask: u8) -> (Zeroizing<Vec<u8>>, Vec<f32>) {
        let mut codewords = Zeroizing::new(Vec::with_capacity(layout.codewords()));
        let mut certainty = Vec::with_capacity(layout.codewords());
        let mean =
            self.values.iter().map(|value| value.abs()).sum::<f32>() / self.values.len() as f32;
        // How likely a module is wrong falls off with its value.
        let steepness = 4.0 / mean.max(1e-3);
        for modules in layout.path.chunks_exact(8) {
            let (mut codeword, mut doubt) = (0, 0.0);
            for &index in modules {
                let value = self.values[index];
                let dark = value > 0.0;
                let flipped = masked(mask, index % layout.side, index / layout.side);
                codeword = (codeword << 1) | u8::from(dark != flipped);
                doubt += (-steepness * value.abs()).exp();
            }
            codewords.push(codeword);
            certainty.push(-doubt);
        }
        (codewords, certainty)
    }
}

/// Both copies sure of every bit make 30; noise rarely makes 8.
const LEAST_SUPPORT: f32 = 4.0;

struct Format {
    level: Level,
    mask: u8,
    support: f32,
}

impl Format {
    /// Level and mask, with their BCH parity and the format mask (section 7.9).
    fn supported_by(number: u8, bits: &[f32; 15]) -> Self {
        let mut rest = u16::from(number);
        for _ in 0..10 {
            rest = (rest << 1) ^ ((rest >> 9) * 0x537);
        }
        let pattern = ((u16::from(number) << 10) | (rest & 0x3ff)) ^ 0x5412;
        let support = bits
            .iter()
            .enumerate()
            .map(|(bit, value)| if pattern >> bit & 1 == 1 { *value } else { -value })
            .sum();
        let level = match number >> 3 {
            0b01 => Level::L,
            0b00 => Level::M,
            0b11 => Level::Q,
            _ => Level::H,
        };
        Self { level, mask: number & 7, support }
    }
}

/// Whether the mask flips the module (table 10).
fn masked(mask: u8, column: usize, row: usize) -> bool {
    let (i, j) = (row, column);
    match mask {
        0 => (i + j) % 2 == 0,
        1 => i % 2 == 0,
        2 => j % 3 == 0,
        3 => (i + j) % 3 == 0,
        4 => (i / 2 + j / 3) % 2 == 0,
        5 => i * j % 2 + i * j % 3 == 0,
        6 => (i * j % 2 + i * j % 3) % 2 == 0,
        _ => ((i + j) % 2 + i * j % 3) % 2 == 0,
    }
}

/// Which codewords of the symbol make each block, data first (section 7.6).
fn block_places(codewords: usize, count: usize, parity: usize) -> Vec<Vec<usize>> {
    let data = codewords - count * parity;
    let short = data / count;
    // The last blocks have one data codeword more.
    let shorts = count - data % count;
    (0..count)
        .map(|block| {
            let rows = (0..short).map(|row| row * count + block);
            let longer = (block >= shorts).then(|| short * count + block - shorts);
            let checks = (0..parity).map(|row| data + row * count + block);
            rows.chain(longer).chain(checks).collect()
        })
        .collect()
}

/// Erases more and more of the codewords that `doubt` names first. Gives the block and
/// the logarithm of how likely chance would have made one.
fn correct(received: &[u8], parity: usize, doubt: &[usize]) -> Option<(Zeroizing<Vec<u8>>, f32)> {
    let most = parity.saturating_sub(3).max(parity / 2);
    (0..=most).step_by(2).find_map(|erased| {
        let mut block = Zeroizing::new(received.to_vec());
        let corrected = reed_solomon::correct(&mut block, parity, &doubt[..erased])?;
        let likely = chance(received.len() - erased, parity - erased, corrected.errors);
        // One block that chance could have made spoils the symbol.
        (likely < -1.0).then_some((block, likely))
    })
}

/// How likely a random word lies within `errors` of a code word, as a decimal
/// logarithm: the words of the sphere over the words there are.
fn chance(length: usize, parity: usize, errors: usize) -> f32 {
    let number = |n: usize| f32::from(u16::try_from(n).unwrap_or(u16::MAX));
    let choices: f32 = (0..errors).map(|i| (number(length - i) / number(i + 1)).log10()).sum();
    choices + (number(errors) - number(parity)) * 255f32.log10()
}

/// Modules that are sure of themselves.
#[cfg(test)]
pub(crate) fn from_dark(version: Version, dark: &[bool]) -> SoftModules {
    let values = dark.iter().map(|&dark| if dark { 1.0 } else { -1.0 }).collect();
    SoftModules::new(version, values).expect("a whole symbol")
}

#[cfg(test)]
mod tests {
    use qrcode::{Color, EcLevel, QrCode};

    use super::*;
    use crate::noise::Noise;
    use crate::segments;

    fn drawn(text: &str, version: i16, level: EcLevel) -> Option<SoftModules> {
        let code = QrCode::with_version(text, qrcode::Version::Normal(version), level).ok()?;
        let dark: Vec<bool> = code.to_colors().iter().map(|c| *c == Color::Dark).collect();
        let version = Version::new(usize::try_from(version).ok()?)?;
        Some(from_dark(version, &dark))
    }

    fn read(modules: &SoftModules) -> Option<String> {
        let data = modules.data()?;
        segments::text(&data, modules.version).map(|text| text.as_str().to_owned())
    }

    #[test]
    fn every_version_at_every_level() {
        let text = "HTTPS://EXAMPLE.COM/A?b=c";
        for version in 1..=40 {
            for level in [EcLevel::L, EcLevel::M, EcLevel::Q, EcLevel::H] {
                // Small symbols hold less at higher levels.
                let text = if version > 2 { text } else { "12345" };
                let modules = drawn(text, version, level).expect("the text fits");
                assert_eq!(read(&modules).as_deref(), Some(text), "{version} {level:?}");
                assert_eq!(modules.mirrored().mirrored().values, modules.values);
            }
        }
    }

    #[test]
    fn doubtful_codewords_are_erased() {
        let text = "otpauth://totp/Contoso%3Aadele%40contoso.com?secret=2xeqptt4hp5mlavl";
        let modules = drawn(text, 6, EcLevel::M).expect("the text fits");
        let side = modules.version.side();
        // A flat stain over more than errors alone would allow.
        let mut values = modules.values.clone();
        for row in 18..34 {
            for column in 14..30 {
                values[row * side + column] = -0.05;
            }
        }
        let stained = SoftModules::new(modules.version, values.clone()).expect("whole");
        assert_eq!(read(&stained).as_deref(), Some(text));
        // The same stain believed is too much.
        let believed = values.iter().map(|v| v.signum()).collect();
        let believed = SoftModules::new(modules.version, believed).expect("whole");
        assert_eq!(read(&believed), None);
    }

    #[test]
    fn noise_is_never_read() {
        let mut noise = Noise::new(4);
        for round in 0..4_000 {
            let version = Version::new(1 + round % 10).expect("1 to 40");
            let values = (0..version.side().pow(2))
                .map(|_| noise.below(2001) as f32 / 1000.0 - 1.0)
                .collect();
            let modules = SoftModules::new(version, values).expect("whole");
            assert_eq!(read(&modules), None);
        }
    }

    #[test]
    fn blocks_share_out_every_codeword() {
        for number in 1..=40 {
            let version = Version::new(number).expect("1 to 40");
            for level in [Level::L, Level::M, Level::Q, Level::H] {
                let total = version.layout().codewords();
                let blocks = version.blocks(level);
                let mut all: Vec<usize> = block_places(total, blocks.count, blocks.parity).concat();
                all.sort_unstable();
                assert_eq!(all, (0..total).collect::<Vec<_>>());
            }
        }
    }
}
