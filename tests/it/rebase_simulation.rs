//! How often new phases are proposed on series whose truth was planted.
// Helpers of tests: a panic is a failed test.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

use brightspot::charts::rebase::{RebaseEngine, RebaseSpec};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Exp1, StandardNormal};

fn draw(rng: &mut ChaCha8Rng, n: usize, phi: f64, is_exponential: bool) -> Vec<f64> {
    let innovation = (1.0 - phi * phi).sqrt();
    let shock = |rng: &mut ChaCha8Rng| -> f64 {
        if is_exponential {
            let x: f64 = rng.sample(Exp1);
            x - 1.0
        } else {
            rng.sample(StandardNormal)
        }
    };
    let mut y = shock(rng);
    for _ in 0..20 {
        y = phi * y + innovation * shock(rng);
    }
    (0..n)
        .map(|_| {
            y = phi * y + innovation * shock(rng);
            y
        })
        .collect()
}

#[test]
#[ignore = "simulation: run by `make sim`"]
fn explore() {
    let mut engine = RebaseEngine::new();
    let reps: usize = std::env::var("REPS").ok().and_then(|r| r.parse().ok()).unwrap_or(2000);
    let spec = RebaseSpec::default();
    for n in [24, 36, 60, 100] {
        for (label, phi, e, step, trend, bump) in [
            ("iid", 0.0, false, 0.0, 0.0, 0.0),
            ("exp", 0.0, true, 0.0, 0.0, 0.0),
            (".3", 0.3, false, 0.0, 0.0, 0.0),
            (".5", 0.5, false, 0.0, 0.0, 0.0),
            ("trend1", 0.0, false, 0.0, 1.0, 0.0),
            ("trend2", 0.0, false, 0.0, 2.0, 0.0),
            ("trend4", 0.0, false, 0.0, 4.0, 0.0),
            ("trend8", 0.0, false, 0.0, 8.0, 0.0),
            ("1sd", 0.0, false, 1.0, 0.0, 0.0),
            ("2sd", 0.0, false, 2.0, 0.0, 0.0),
            ("2sd.3", 0.3, false, 2.0, 0.0, 0.0),
            ("bump2", 0.0, false, 0.0, 0.0, 2.0),
            ("bump3", 0.0, false, 0.0, 0.0, 3.0),
        ] {
            let mut rng = ChaCha8Rng::seed_from_u64(1);
            let (mut any, mut many, mut cover, mut note, mut width, mut cs) = (0, 0, 0, 0, 0.0, 0);
            for _ in 0..reps {
                let mut y = draw(&mut rng, n, phi, e);
                for (i, v) in y.iter_mut().enumerate() {
                    if i >= n / 2 {
                        *v += step;
                    }
                    if i >= n / 3 && i < 2 * n / 3 {
                        *v += bump;
                    }
                    *v += trend * i as f64 / n as f64;
                }
                let found = engine.propose(&y, &[], &spec).unwrap();
                any += usize::from(!found.proposals.is_empty());
                many += usize::from(found.proposals.len() > 1);
                note += usize::from(found.notes.iter().any(|note| note.code.as_str() == "steady_trend"));
                if found.proposals.len() == 1 {
                    let p = &found.proposals[0];
                    cover += usize::from(p.from.unwrap() <= n / 2 && n / 2 <= p.to.unwrap());
                    width += (p.to.unwrap() - p.from.unwrap() + 1) as f64;
                    cs += usize::from(p.lo.unwrap() <= step && step <= p.hi.unwrap());
                }
            }
            let f = |x: usize| x as f64 / reps as f64;
            let one = (any - many).max(1) as f64;
            println!(
                "{n} {label:7} any {:.3} many {:.3} trendnote {:.3} | place cover {:.3} width {:.1} step cover {:.3}",
                f(any),
                f(many),
                f(note),
                cover as f64 / one,
                width / one,
                cs as f64 / one
            );
        }
    }
}
