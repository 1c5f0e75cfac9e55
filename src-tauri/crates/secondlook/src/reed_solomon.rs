//! Reed–Solomon correction of errors and erasures over GF(2^8).
//!
//! The field and the code are those of ISO/IEC 18004 sections 7.5.2 and annex A: the
//! primitive polynomial is x^8 + x^4 + x^3 + x^2 + 1, the generator's roots begin at
//! α^0. An erasure is a codeword whose place is known to be doubtful; it costs one
//! parity codeword where an error at an unknown place costs two. The method is
//! Berlekamp–Massey that starts from the erasure locator, Chien's search, and Forney's
//! formula (R. Blahut, Algebraic Codes for Data Transmission, chapter 7).

/// What a successful correction did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Corrected {
    /// Codewords that were wrong at places that nobody had named.
    pub(crate) errors: usize,
}

/// Corrects `block`, whose last `parity` codewords are the check, in place.
///
/// `erasures` are distinct indices into the block. `None` when there are more errors
/// than the code corrects; the block may then hold anything.
pub(crate) fn correct(block: &mut [u8], parity: usize, erasures: &[usize]) -> Option<Corrected> {
    let length = block.len();
    if length > 255 || parity > length || erasures.len() > parity {
        return None;
    }
    let syndromes = syndromes(block, parity);
    if syndromes.iter().all(|&syndrome| syndrome == 0) {
        return Some(Corrected { errors: 0 });
    }
    let mut locator = vec![1];
    for &index in erasures {
        locator = multiply(&locator, &[1, power(length - 1 - index)]);
    }
    let locator = locate(locator, &syndromes, erasures.len())?;

    // Every root names a codeword; as many roots as the degree, or the block is lost.
    let degree = locator.len() - 1;
    let wrong: Vec<usize> =
        (0..length).filter(|exponent| value(&locator, inverse_power(*exponent)) == 0).collect();
    if wrong.len() != degree {
        return None;
    }
    let mut evaluator = multiply(&syndromes, &locator);
    evaluator.truncate(parity);
    // In characteristic two the derivative keeps the odd coefficients.
    let derivative: Vec<u8> =
        (1..locator.len()).map(|i| if i % 2 == 1 { locator[i] } else { 0 }).collect();
    for &exponent in &wrong {
        let root = inverse_power(exponent);
        let slope = value(&derivative, root);
        if slope == 0 {
            return None;
        }
        let magnitude = product(power(exponent), value(&evaluator, root));
        block[length - 1 - exponent] ^= product(magnitude, inverse(slope));
    }
    let clean = self::syndromes(block, parity).iter().all(|&syndrome| syndrome == 0);
    clean.then_some(Corrected { errors: degree - erasures.len() })
}

/// Berlekamp–Massey: the shortest locator that explains the syndromes and contains
/// the erasures.
fn locate(erasure_locator: Vec<u8>, syndromes: &[u8], erasures: usize) -> Option<Vec<u8>> {
    let mut locator = erasure_locator;
    let mut previous = locator.clone();
    let mut degree = erasures;
    for step in erasures..syndromes.len() {
        previous.insert(0, 0);
        let discrepancy = locator
            .iter()
            .zip(syndromes[..=step].iter().rev())
            .fold(0, |sum, (&factor, &syndrome)| sum ^ product(factor, syndrome));
        if discrepancy == 0 {
            continue;
        }
        let mut next = locator.clone();
        next.resize(locator.len().max(previous.len()), 0);
        for (to, &from) in next.iter_mut().zip(&previous) {
            *to ^= product(discrepancy, from);
        }
        if 2 * degree <= step + erasures {
            let scale = inverse(discrepancy);
            previous = locator.iter().map(|&factor| product(factor, scale)).collect();
            degree = step + 1 + erasures - degree;
        }
        locator = next;
    }
    while locator.len() > 1 && locator.last() == Some(&0) {
        locator.pop();
    }
    let errors = (locator.len() - 1).checked_sub(erasures)?;
    (locator.len() - 1 == degree && 2 * errors + erasures <= syndromes.len()).then_some(locator)
}

fn syndromes(block: &[u8], parity: usize) -> Vec<u8> {
    (0..parity)
        .map(|exponent| {
            let root = power(exponent);
            block.iter().fold(0, |sum, &codeword| product(sum, root) ^ codeword)
        })
        .collect()
}

/// α^i for i below 510, so that a sum of two logarithms needs no reduction.
static POWERS: [u8; 510] = tables().0;
/// The logarithm to the base α; that of 0 does not exist and is never asked.
static LOGARITHMS: [u8; 256] = tables().1;

#[allow(clippy::cast_possible_truncation, reason = "i is below 255")]
const fn tables() -> ([u8; 510], [u8; 256]) {
    let mut powers = [0; 510];
    let mut logarithms = [0; 256];
    let mut element: u8 = 1;
    let mut i = 0;
    while i < 255 {
        powers[i] = element;
        powers[i + 255] = element;
        logarithms[element as usize] = i as u8;
        let carry = element >> 7;
        element <<= 1;
        if carry == 1 {
            element ^= 0x1d;
        }
        i += 1;
    }
    (powers, logarithms)
}

fn logarithm(element: u8) -> usize {
    usize::from(LOGARITHMS[usize::from(element)])
}

/// α^exponent, for any exponent.
fn power(exponent: usize) -> u8 {
    POWERS[exponent % 255]
}

/// α^-exponent, for exponents up to 255.
fn inverse_power(exponent: usize) -> u8 {
    POWERS[(255 - exponent) % 255]
}

/// 1 / element; the caller has made sure that it is not 0.
fn inverse(element: u8) -> u8 {
    POWERS[255 - logarithm(element)]
}

fn product(a: u8, b: u8) -> u8 {
    if a == 0 || b == 0 { 0 } else { POWERS[logarithm(a) + logarithm(b)] }
}

/// The product of two polynomials, lowest coefficient first.
fn multiply(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut result = vec![0; a.len() + b.len() - 1];
    for (i, &left) in a.iter().enumerate() {
        for (j, &right) in b.iter().enumerate() {
            result[i + j] ^= product(left, right);
        }
    }
    result
}

/// A polynomial, lowest coefficient first, at `x`.
fn value(polynomial: &[u8], x: u8) -> u8 {
    polynomial.iter().rev().fold(0, |sum, &coefficient| product(sum, x) ^ coefficient)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;

    /// ISO/IEC 18004 annex I.2: "01234567" in version 1-M.
    const ANNEX_I: [u8; 26] = [
        0x10, 0x20, 0x0c, 0x56, 0x61, 0x80, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11, 0xec,
        0x11, 0xa5, 0x24, 0xd4, 0xc1, 0xed, 0x36, 0xc7, 0x87, 0x2c, 0x55,
    ];

    #[test]
    fn the_example_of_the_standard_is_a_code_block() {
        let mut block = ANNEX_I;
        assert_eq!(correct(&mut block, 10, &[]), Some(Corrected { errors: 0 }));
        assert_eq!(block, ANNEX_I);
    }

    #[test]
    fn every_mixture_within_the_bound_is_corrected() {
        let mut noise = Noise::new(1);
        for erased in 0..=10 {
            for errors in 0..=(10 - erased) / 2 {
                for _ in 0..50 {
                    let mut block = ANNEX_I;
                    let places = noise.distinct(26, erased + errors);
                    for &place in &places {
                        block[place] ^= 1 + noise.below(255) as u8;
                    }
                    let corrected = correct(&mut block, 10, &places[..erased]);
                    assert_eq!(corrected, Some(Corrected { errors }), "{erased} {errors}");
                    assert_eq!(block, ANNEX_I);
                }
            }
        }
    }

    #[test]
    fn an_erasure_may_hold_the_right_codeword() {
        let mut block = ANNEX_I;
        block[3] ^= 0x55;
        assert_eq!(correct(&mut block, 10, &[1, 3, 20]), Some(Corrected { errors: 0 }));
        assert_eq!(block, ANNEX_I);
    }

    #[test]
    fn what_is_beyond_the_bound_never_panics_and_is_a_code_block_if_it_is_taken() {
        let mut noise = Noise::new(2);
        for _ in 0..5_000 {
            let parity = 1 + noise.below(30);
            let length = parity + noise.below(120);
            let mut block: Vec<u8> = (0..length).map(|_| noise.below(256) as u8).collect();
            let erasures = noise.below(parity + 1);
            let erasures = noise.distinct(length, erasures);
            if correct(&mut block, parity, &erasures).is_some() {
                assert!(syndromes(&block, parity).iter().all(|&syndrome| syndrome == 0));
            }
        }
    }

    #[test]
    fn every_element_has_its_inverse() {
        for element in 1..=255 {
            assert_eq!(product(element, inverse(element)), 1);
        }
    }
}
