//! Poisson regression with log link, offsets and weights: what Farrington's method and interrupted
//! series need. Small and dense, at most a few dozen parameters.

use alloc::vec::Vec;

use super::math;

/// A fitted model.
pub(super) struct Fit {
    pub(super) coefficients: Vec<f64>,
    pub(super) fitted: Vec<f64>,
    /// Leverage of each observation.
    pub(super) leverage: Vec<f64>,
    /// Inverse of the information matrix, by row.
    pub(super) covariance: Vec<Vec<f64>>,
    /// Pearson's dispersion, not below one.
    pub(super) dispersion: f64,
}

impl Fit {
    /// Standard error of a coefficient under the dispersion.
    pub(super) fn standard_error(&self, position: usize) -> f64 {
        let variance = self.covariance.get(position).and_then(|row| row.get(position));
        math::sqrt(variance.copied().unwrap_or(f64::NAN) * self.dispersion)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn quadratic(matrix: &[Vec<f64>], row: &[f64]) -> f64 {
    matrix.iter().zip(row).map(|(line, x)| x * dot(line, row)).sum()
}

/// Fits `log E(y) = offset + row . b` by iteratively reweighted least squares; none when the
/// information matrix is singular.
pub(super) fn poisson(
    rows: &[Vec<f64>],
    counts: &[f64],
    offsets: &[f64],
    weights: &[f64],
) -> Option<Fit> {
    let width = rows.first()?.len();
    let mut fitted: Vec<f64> = counts.iter().map(|y| y + 0.1).collect();
    let mut coefficients = alloc::vec![0.0; width];
    let mut covariance = Vec::new();
    let mut last = f64::INFINITY;
    for _ in 0..100 {
        let mut information = alloc::vec![alloc::vec![0.0; width]; width];
        let mut score = alloc::vec![0.0; width];
        let data = rows.iter().zip(counts).zip(offsets).zip(weights).zip(&fitted);
        for ((((row, y), offset), weight), mean) in data {
            let working = math::ln(*mean) - offset + (y - mean) / mean;
            let scale = weight * mean;
            for (line, x) in information.iter_mut().zip(row) {
                for (cell, other) in line.iter_mut().zip(row) {
                    *cell += scale * x * other;
                }
            }
            for (cell, x) in score.iter_mut().zip(row) {
                *cell += scale * x * working;
            }
        }
        covariance = invert(information)?;
        coefficients = covariance.iter().map(|line| dot(line, &score)).collect();
        for ((mean, row), offset) in fitted.iter_mut().zip(rows).zip(offsets) {
            *mean = math::exp((offset + dot(row, &coefficients)).clamp(-300.0, 300.0)).max(1e-10);
        }
        let deviance: f64 = counts
            .iter()
            .zip(&fitted)
            .zip(weights)
            .map(|((y, mean), weight)| {
                let part = if *y > 0.0 { y * math::ln(y / mean) } else { 0.0 };
                2.0 * weight * (part - (y - mean))
            })
            .sum();
        if (deviance - last).abs() < 1e-10 * (deviance.abs() + 0.1) {
            break;
        }
        last = deviance;
    }
    let leverage = rows
        .iter()
        .zip(&fitted)
        .zip(weights)
        .map(|((row, mean), weight)| weight * mean * quadratic(&covariance, row))
        .collect();
    let pearson: f64 = counts
        .iter()
        .zip(&fitted)
        .zip(weights)
        .map(|((y, mean), weight)| weight * math::square(y - mean) / mean)
        .sum();
    let freedom = rows.len().saturating_sub(width) as f64;
    let dispersion = if freedom > 0.0 { (pearson / freedom).max(1.0) } else { 1.0 };
    Some(Fit { coefficients, fitted, leverage, covariance, dispersion })
}

/// The inverse of a square matrix; none for a singular one.
pub(super) fn invert(mut matrix: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    let n = matrix.len();
    for (position, row) in matrix.iter_mut().enumerate() {
        row.extend((0..n).map(|column| if column == position { 1.0 } else { 0.0 }));
    }
    let reduced = reduce(matrix)?;
    Some(reduced.into_iter().map(|row| row.into_iter().skip(n).collect()).collect())
}

/// Gauss and Jordan with pivoting: the columns after the square part, solved; none for a singular
/// matrix.
pub(super) fn reduce(mut matrix: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    let n = matrix.len();
    let largest = matrix.iter().flatten().fold(0.0_f64, |a, b| a.max(b.abs()));
    for column in 0..n {
        let size = |row: &Vec<f64>| row.get(column).map_or(0.0, |x| x.abs());
        let (pivot, _) = matrix
            .iter()
            .enumerate()
            .skip(column)
            .max_by(|a, b| size(a.1).total_cmp(&size(b.1)))?;
        matrix.swap(column, pivot);
        let mut line = matrix.get(column)?.clone();
        let lead = *line.get(column)?;
        if lead.abs() <= largest * 1e-13 {
            return None;
        }
        line.iter_mut().for_each(|x| *x /= lead);
        for (position, row) in matrix.iter_mut().enumerate() {
            let factor = *row.get(column)?;
            if position == column {
                row.clone_from(&line);
            } else if factor != 0.0 {
                for (x, y) in row.iter_mut().zip(&line) {
                    *x -= factor * y;
                }
            }
        }
    }
    Some(matrix)
}
