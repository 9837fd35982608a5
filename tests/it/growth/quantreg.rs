//! Against quantreg 5.94 in R, where the reference folder is present.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)] // helpers of tests

use brightspot::growth::{GrowthModel, GrowthSpec, PriorBasis, Quantile, fit};

use crate::tables::{json, reference, rows};

#[test]
fn quantreg_is_reproduced() {
    let Some(folder) = reference() else { return };
    let students = rows(&folder.join("sgp_star_math_1prior.csv"));
    let column = |i: usize| students.iter().map(|row| row[i]).collect::<Vec<f64>>();
    let (y, prior, sgp) = (column(3), column(4), column(5));
    let coefficients = rows(&folder.join("sgp_star_math_1prior.coef.csv"));
    let golden = json(&folder.join("sgp_star_math_1prior.json"));

    // Their coefficients, through our basis and percentiles: every student the same.
    let basis =
        PriorBasis { name: "prior".into(), knots: vec![505.0, 526.0, 549.0, 572.0], boundaries: (396.6, 701.4) };
    let quantiles = (0..100)
        .map(|i| Quantile {
            tau: golden["taus"][i].as_f64().unwrap(),
            coefficients: coefficients.iter().map(|row| row[i]).collect(),
            check_loss: 0.0,
        })
        .collect();
    let theirs = GrowthModel { outcome: "y".into(), priors: vec![basis.clone()], quantiles, n_students: y.len() };
    let placed = theirs.place(&y, &[&prior]).unwrap();
    assert!(placed.percentile.iter().zip(&sgp).all(|(found, expected)| found.map(f64::from) == Some(*expected)));
    assert_eq!((placed.n_crossed, placed.n_outside), (3153, 0));

    // Our own fit: the same knots, and a loss that is the same to rounding. Where scores are whole numbers several
    // solutions share it, so that coefficients need not agree.
    let model = fit(("y", &y), &[("prior", &prior)], &GrowthSpec::default(), &|_, _| Ok(())).unwrap();
    assert_eq!(model.priors[0].knots, basis.knots);
    assert!((model.priors[0].boundaries.0 - 396.6).abs() < 1e-9 && (model.priors[0].boundaries.1 - 701.4).abs() < 1e-9);
    for (quantile, expected) in model.quantiles.iter().zip(golden["check_loss"].as_array().unwrap()) {
        let expected = expected.as_f64().unwrap();
        let excess = quantile.check_loss / expected - 1.0;
        assert!(excess.abs() < 1e-9, "{}: {} {expected} ({excess:.1e})", quantile.tau, quantile.check_loss);
    }
    let ours = model.place(&y, &[&prior]).unwrap();
    let gaps: Vec<f64> = ours
        .percentile
        .iter()
        .zip(&sgp)
        .map(|(found, expected)| (f64::from(found.unwrap()) - expected).abs())
        .collect();
    let same = gaps.iter().filter(|gap| **gap == 0.0).count() as f64 / gaps.len() as f64;
    let largest = gaps.iter().copied().fold(0.0, f64::max);
    println!("same percentile: {:.1}% of students; largest difference {largest}", 100.0 * same);
    assert!(same > 0.9 && largest <= 5.0, "{same} {largest}");
}
