//! One-way analysis of variance of the National Institute of Standards and Technology (Statistical Reference Datasets
//! SmLs01-09, public domain; Simon & Lesage 1989, Comput. Stat. Data Anal. 8:325): constant leading digits eat those
//! of careless sums of squares. Data and certified values follow the published rule.
#![allow(clippy::unwrap_used)] // a test

use brightspot::mixed::{Design, Moments};

/// Nine treatments of n replicates: the first is the treatment's centre, the others lie .1 below and above by turns.
const CENTRES: [f64; 9] = [0.4, 0.3, 0.5, 0.3, 0.5, 0.3, 0.5, 0.3, 0.5];

#[test]
fn certified_digits_are_kept() {
    for (name, level, n, f, digits) in [
        ("SmLs01", 1.0, 21, 21.0, 13.0),
        ("SmLs02", 1.0, 201, 201.0, 13.0),
        ("SmLs03", 1.0, 2001, 2001.0, 13.0),
        ("SmLs04", 1e6, 21, 21.0, 9.4),
        ("SmLs05", 1e6, 201, 201.0, 9.4),
        ("SmLs06", 1e6, 2001, 2001.0, 9.4),
        ("SmLs07", 1e12, 21, 21.0, 3.4),
        ("SmLs08", 1e12, 201, 201.0, 3.4),
        ("SmLs09", 1e12, 2001, 2001.0, 3.4),
    ] {
        let (mut y, mut treatment) = (vec![], vec![]);
        for (code, centre) in (0_u32..).zip(CENTRES) {
            for i in 0..n {
                // As a reader of the printed decimals has them.
                let tenths = (10.0 * centre + [0.0, -1.0, 1.0][if i == 0 { 0 } else { 2 - i % 2 }]).round();
                y.push(format!("{level:.0}").parse::<f64>().unwrap() + tenths / 10.0);
                treatment.push(code);
            }
        }
        let printed: Vec<f64> = y.iter().map(|v| format!("{v:.1}").parse().unwrap()).collect();
        let design = Design::new(printed.len(), &[]).unwrap();
        let moments = Moments::new(&design, &printed, &[&treatment]).unwrap();
        let table = moments.one_way(0).unwrap();
        let correct = |found: f64, certified: f64| -((found - certified).abs() / certified).max(1e-16).log10();
        let (between, within) = (f * 0.01 * 8.0, 0.01 * f64::from(u16::try_from(9 * (n - 1)).unwrap()));
        assert_eq!((table.df_between, table.df_within), (8, 9 * (n - 1)));
        for (what, found, certified) in
            [("F", table.f, f), ("between", table.between, between), ("within", table.within, within)]
        {
            let kept = correct(found, certified);
            assert!(kept >= digits, "{name}: {what} {found} has {kept} digits of {certified}");
        }
    }
}
