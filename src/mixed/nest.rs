//! Factors nested in each other: which group stands in which, and the elimination of their effects.
//!
//! With weights w of the rows: (a, C) the sums 1'V^-1 1 and of what is projected, given all levels inside of a group
//! (innermost: sums over its rows), t the variance of a level, d = 1 + t a; the parent receives (a/d, C/d). Downwards
//! s = (C - a B)/d, the group's effect is t s, B the sum of the effects of all groups around a row.

use super::groups::sort_by_code;

/// The groups of one level, in the order of their paths.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Level {
    /// The group's own code, as the caller gave it.
    pub(super) codes: Vec<u32>,
    /// The index of the group around it; zeros in the outermost level.
    pub(super) parents: Vec<u32>,
    /// Rows in the group.
    pub(super) n: Vec<f64>,
}

/// Levels from the outermost inwards.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Nest {
    pub(super) levels: Vec<Level>,
}

/// What the groups' effects leave of the information: a and d of every group.
#[derive(Debug, Clone, Default)]
pub(super) struct Eliminated {
    pub(super) a: Vec<Vec<f64>>,
    pub(super) d: Vec<Vec<f64>>,
    pub(super) log_det: f64,
}

/// The effects that solve (Z'WZ + T^-1) b = C, level by level.
#[derive(Debug, Clone, Default)]
pub(super) struct Solution {
    /// b / t: also there where t is 0.
    pub(super) score: Vec<Vec<f64>>,
    /// The sum of the effects around the rows of every innermost group.
    pub(super) total: Vec<f64>,
}

/// Variances given the data, of every group of a level.
#[derive(Debug, Clone, Default)]
pub(super) struct Variances {
    /// Of the group's own effect.
    pub(super) own: Vec<f64>,
    /// Of the sum of it and of the effects around it.
    pub(super) total: Vec<f64>,
    /// z'V^-1 z.
    pub(super) h: Vec<f64>,
}

impl Nest {
    /// Groups rows by their codes, outermost level first: the nest, the rows in the order of the groups, and where each
    /// innermost group begins among them (with the end).
    pub(super) fn new(levels: &[&[u32]], n_rows: usize) -> (Self, Vec<u32>, Vec<usize>) {
        let mut order: Vec<u32> = (0..u32::try_from(n_rows).unwrap_or(u32::MAX)).collect();
        for codes in levels.iter().rev() {
            sort_by_code(&mut order, codes);
        }
        let mut nest = Self { levels: vec![Level::default(); levels.len()] };
        let mut starts = vec![];
        let mut last: Option<u32> = None;
        for (place, &row) in order.iter().enumerate() {
            let code = |codes: &[u32], row: u32| codes.get(row as usize).copied().unwrap_or(u32::MAX);
            let shared = last.map_or(0, |last| levels.iter().take_while(|c| code(c, row) == code(c, last)).count());
            if shared < levels.len() {
                starts.push(place);
            }
            let mut parent = 0;
            for (depth, (level, codes)) in nest.levels.iter_mut().zip(levels).enumerate() {
                if depth >= shared {
                    level.codes.push(code(codes, row));
                    level.parents.push(u32::try_from(parent).unwrap_or(u32::MAX));
                    level.n.push(0.0);
                }
                if let Some(n) = level.n.last_mut() {
                    *n += 1.0;
                }
                parent = level.codes.len() - 1;
            }
            last = Some(row);
        }
        starts.push(n_rows);
        (nest, order, starts)
    }

    pub(super) fn depth(&self) -> usize {
        self.levels.len()
    }

    /// The codes from the outermost level down to a group.
    pub(super) fn path(&self, level: usize, group: usize) -> Vec<u32> {
        let mut at = group;
        let mut codes: Vec<u32> = vec![];
        for level in self.levels.iter().take(level + 1).rev() {
            codes.push(level.codes.get(at).copied().unwrap_or(u32::MAX));
            at = level.parents.get(at).copied().unwrap_or(0) as usize;
        }
        codes.reverse();
        codes
    }

    /// Eliminates the effects: `a` holds the sums of the weights of the innermost groups.
    pub(super) fn eliminate(&self, a: &[f64], t: &[f64]) -> Eliminated {
        let mut found = Eliminated::default();
        let mut here = a.to_vec();
        for (level, (groups, &t)) in self.levels.iter().zip(t).enumerate().rev() {
            let d: Vec<f64> = here.iter().map(|a| 1.0 + t * a).collect();
            found.log_det += d.iter().map(|d| d.ln()).sum::<f64>();
            let mut above = vec![0.0; self.n_groups_above(level)];
            for ((a, d), &parent) in here.iter().zip(&d).zip(&groups.parents) {
                if let Some(sum) = above.get_mut(parent as usize) {
                    *sum += a / d;
                }
            }
            found.a.push(std::mem::replace(&mut here, above));
            found.d.push(d);
        }
        found.a.reverse();
        found.d.reverse();
        found
    }

    fn n_groups_above(&self, level: usize) -> usize {
        level.checked_sub(1).and_then(|l| self.levels.get(l)).map_or(0, |l| l.codes.len())
    }

    /// Solves for the effects: `c` holds sums over the rows of the innermost groups.
    pub(super) fn solve(&self, eliminated: &Eliminated, t: &[f64], c: &[f64]) -> Solution {
        let mut sums: Vec<Vec<f64>> = vec![];
        let mut here = c.to_vec();
        for (level, (groups, d)) in self.levels.iter().zip(&eliminated.d).enumerate().rev() {
            let mut above = vec![0.0; self.n_groups_above(level)];
            for ((c, d), &parent) in here.iter().zip(d).zip(&groups.parents) {
                if let Some(sum) = above.get_mut(parent as usize) {
                    *sum += c / d;
                }
            }
            sums.push(std::mem::replace(&mut here, above));
        }
        let mut found = Solution::default();
        let mut around = vec![0.0];
        for (((groups, c), (a, d)), &t) in
            self.levels.iter().zip(sums.iter().rev()).zip(eliminated.a.iter().zip(&eliminated.d)).zip(t)
        {
            let (mut score, mut total) = (Vec::with_capacity(c.len()), Vec::with_capacity(c.len()));
            for (((c, a), d), &parent) in c.iter().zip(a).zip(d).zip(&groups.parents) {
                let outside = around.get(parent as usize).copied().unwrap_or(0.0);
                let s = (c - a * outside) / d;
                score.push(s);
                total.push(outside + t * s);
            }
            found.score.push(score);
            around = total;
        }
        found.total = around;
        found
    }

    /// The variances of all effects, level by level.
    pub(super) fn variances(&self, eliminated: &Eliminated, t: &[f64]) -> Vec<Variances> {
        let mut found: Vec<Variances> = vec![];
        for ((groups, (a, d)), &t) in self.levels.iter().zip(eliminated.a.iter().zip(&eliminated.d)).zip(t) {
            let mut here = Variances::default();
            for ((a, d), &parent) in a.iter().zip(d).zip(&groups.parents) {
                let around =
                    found.last().and_then(|v: &Variances| v.total.get(parent as usize)).copied().unwrap_or(0.0);
                let share = a / d;
                here.own.push(t / d + (t * share) * (t * share) * around);
                here.total.push(t / d + around / (d * d));
                here.h.push(share * (1.0 - share * around));
            }
            found.push(here);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_its_whole_path() {
        let (nest, order, starts) = Nest::new(&[&[7, 7, 3, 3, 7, 3], &[0, 1, 0, 1, 1, 0]], 6);
        assert_eq!(nest.levels[0].codes, [3, 7]);
        assert_eq!(nest.levels[1].codes, [0, 1, 0, 1]);
        assert_eq!(nest.levels[1].parents, [0, 0, 1, 1]);
        assert_eq!(nest.levels[1].n, [2.0, 1.0, 1.0, 2.0]);
        assert_eq!((order, starts), (vec![2, 5, 3, 0, 1, 4], vec![0, 2, 3, 4, 6]));
        assert_eq!(nest.path(1, 2), [7, 0]);
        let (sparse, ..) = Nest::new(&[&[4_000_000_000, 5, 4_000_000_000]], 3);
        assert_eq!(sparse.levels[0].codes, [5, 4_000_000_000]);
    }

    #[test]
    fn effects_solve_their_equations() {
        // Two outer groups with two and one inner ones; (Z'WZ + T^-1) b = C written out.
        let (nest, ..) = Nest::new(&[&[0, 0, 1], &[0, 1, 2]], 3);
        let (a, t, c) = ([2.0, 3.0, 4.0], [0.5, 0.25], [1.0, -2.0, 3.0]);
        let eliminated = nest.eliminate(&a, &t);
        let solved = nest.solve(&eliminated, &t, &c);
        for (j, parent) in [0, 0, 1].into_iter().enumerate() {
            let b = t[1] * solved.score[1][j];
            let outer = t[0] * solved.score[0][parent];
            assert!((a[j] * (b + outer) + b / t[1] - c[j]).abs() < 1e-12);
            assert!((solved.total[j] - b - outer).abs() < 1e-12);
        }
        let outer = t[0] * solved.score[0][0];
        let sum: f64 = (0..2).map(|j| a[j] * (t[1] * solved.score[1][j] + outer) - c[j]).sum();
        assert!((sum + outer / t[0]).abs() < 1e-12);
        // log|I + T Z'WZ| of the second outer group by hand.
        let second = (1.0 + t[1] * 4.0_f64).ln() + (1.0 + t[0] * 4.0 / (1.0 + t[1] * 4.0)).ln();
        let first = (1.5_f64 * 1.75).ln() + (1.0 + 0.5 * (2.0 / 1.5 + 3.0 / 1.75_f64)).ln();
        assert!((eliminated.log_det - first - second).abs() < 1e-12);
    }
}
