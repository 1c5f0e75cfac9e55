//! Linear least squares with a ridge: the weights that bring values nearest to targets.

/// How much larger weights have to pay, as a share of the mean square of the values.
const RIDGE: f32 = 0.005;

/// Weights for rows of `N` values, each with its target. `None` when there is too
/// little to learn from.
pub(crate) fn least_squares<'a, const N: usize>(
    rows: impl Iterator<Item = (&'a [f32; N], f32)>,
) -> Option<[f32; N]> {
    let mut matrix = vec![[0.0f32; N]; N];
    let mut right = [0.0f32; N];
    let mut count = 0;
    for (values, target) in rows {
        count += 1;
        for ((line, sum), factor) in matrix.iter_mut().zip(&mut right).zip(values) {
            for (sum, value) in line.iter_mut().zip(values) {
                *sum += factor * value;
            }
            *sum += factor * target;
        }
    }
    let energy = (0..N).map(|i| matrix[i][i]).sum::<f32>() / N as f32;
    if count < N || energy <= 0.0 {
        return None;
    }
    for (i, line) in matrix.iter_mut().enumerate() {
        line[i] += RIDGE * energy;
    }
    solve(&mut matrix, right)
}

/// Cholesky's method; the lower triangle becomes the factor.
fn solve<const N: usize>(matrix: &mut [[f32; N]], mut right: [f32; N]) -> Option<[f32; N]> {
    for i in 0..N {
        for j in 0..=i {
            let dot: f32 = (0..j).map(|k| matrix[i][k] * matrix[j][k]).sum();
            let rest = matrix[i][j] - dot;
            if i == j {
                if rest <= 0.0 {
                    return None;
                }
                matrix[i][i] = rest.sqrt();
            } else {
                matrix[i][j] = rest / matrix[j][j];
            }
        }
        let dot: f32 = (0..i).map(|k| matrix[i][k] * right[k]).sum();
        right[i] = (right[i] - dot) / matrix[i][i];
    }
    for i in (0..N).rev() {
        let dot: f32 = (i + 1..N).map(|k| matrix[k][i] * right[k]).sum();
        right[i] = (right[i] - dot) / matrix[i][i];
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;

    #[test]
    fn weights_that_made_the_targets_are_found_again() {
        const N: usize = 20;
        let mut noise = Noise::new(5);
        let wanted: Vec<f32> = (0..N).map(|i| (i as f32 * 0.7).sin()).collect();
        let rows: Vec<[f32; N]> = (0..2_000)
            .map(|_| std::array::from_fn(|_| noise.below(2001) as f32 / 1000.0 - 1.0))
            .collect();
        let targets = rows.iter().map(|row| row.iter().zip(&wanted).map(|(a, w)| a * w).sum());
        let found = least_squares(rows.iter().zip(targets)).expect("well posed");
        for (found, wanted) in found.iter().zip(&wanted) {
            assert!((found - wanted).abs() < 0.02, "{found} {wanted}");
        }
    }

    #[test]
    fn too_little_to_learn_from() {
        let zeros = [[0.0; 9]; 100];
        assert!(least_squares(zeros.iter().map(|row| (row, 1.0))).is_none());
        let few = [[1.0; 9]; 3];
        assert!(least_squares(few.iter().map(|row| (row, 1.0))).is_none());
    }
}
