//! Predictions of nested effects from sums by unit, the fixed part taken as known: for data with parts left out.

/// What a unit's rows say: their information a = 1'V^-1 1 and c = 1'V^-1 r, r the residuals from the fixed part, both
/// given all effects from the unit outwards, in units of sigma^2.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sum {
    pub(crate) a: f64,
    pub(crate) c: f64,
}

/// The unit's own effect b and the total T of it and all around it; variances in units of sigma^2.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Node {
    pub(crate) own: f64,
    pub(crate) own_variance: f64,
    pub(crate) total: f64,
    pub(crate) total_variance: f64,
    /// Cov(b, T).
    pub(crate) covariance: f64,
}

/// The groups and the units within them, with theta^2 of every level, outermost first.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    pub(crate) t: Vec<f64>,
    /// Of every level: the parent of each of its groups in the level outside.
    pub(crate) parents: Vec<Vec<usize>>,
}

impl Tree {
    /// The sums of every group of every level, from those of the units.
    fn ascend(&self, units: &[Sum]) -> Vec<Vec<Sum>> {
        let mut levels = vec![units.to_vec()];
        for (depth, parents) in self.parents.iter().enumerate().skip(1).rev() {
            let t = self.t.get(depth).copied().unwrap_or(0.0);
            let size = self.parents.get(depth - 1).map_or(0, Vec::len);
            let mut above = vec![Sum::default(); size];
            for (sum, &parent) in levels.last().into_iter().flatten().zip(parents) {
                if let Some(cell) = above.get_mut(parent) {
                    let d = 1.0 + t * sum.a;
                    cell.a += sum.a / d;
                    cell.c += sum.c / d;
                }
            }
            levels.push(above);
        }
        levels.reverse();
        levels
    }

    /// Every unit's effect and total: b = (t/d)(c - a B), downwards from the outermost level (Robinson 1991, Stat. Sci.
    /// 6:15), B the total around it.
    pub(crate) fn predict(&self, units: &[Sum]) -> Vec<Node> {
        let mut around = vec![Node::default()];
        for ((sums, parents), &t) in self.ascend(units).iter().zip(&self.parents).zip(&self.t) {
            let outer = around;
            around = sums
                .iter()
                .zip(parents)
                .map(|(sum, parent)| below(*sum, t, outer.get(*parent).copied().unwrap_or_default()))
                .collect();
        }
        around
    }

    /// For every unit, the total of what is around it as the *other* units tell it, with its variance.
    pub(crate) fn others(&self, units: &[Sum]) -> Vec<(f64, f64)> {
        let levels = self.ascend(units);
        let last = self.parents.len().saturating_sub(1);
        (0..units.len())
            .map(|unit| {
                // Upwards along the unit's own line: what each ancestor is told without the unit.
                let mut chain: Vec<(Sum, f64)> = Vec::with_capacity(last);
                let (mut group, mut kept) = (unit, Sum::default());
                for depth in (1..=last).rev() {
                    let (here, t) = (self.sum(&levels, depth, group), self.t.get(depth).copied().unwrap_or(0.0));
                    let parent = self.parents.get(depth).and_then(|p| p.get(group)).copied().unwrap_or(0);
                    let outer = self.sum(&levels, depth - 1, parent);
                    let (d, e) = (1.0 + t * here.a, 1.0 + t * kept.a);
                    kept =
                        Sum { a: (outer.a - here.a / d + kept.a / e).max(0.0), c: outer.c - here.c / d + kept.c / e };
                    chain.push((kept, self.t.get(depth - 1).copied().unwrap_or(0.0)));
                    group = parent;
                }
                let node = chain.iter().rev().fold(Node::default(), |around, (sum, t)| below(*sum, *t, around));
                (node.total, node.total_variance)
            })
            .collect()
    }

    #[allow(clippy::unused_self)] // reads as what it is: a sum of the tree
    fn sum(&self, levels: &[Vec<Sum>], depth: usize, group: usize) -> Sum {
        levels.get(depth).and_then(|l| l.get(group)).copied().unwrap_or_default()
    }
}

fn below(sum: Sum, t: f64, around: Node) -> Node {
    let d = 1.0 + t * sum.a;
    let (w, pull) = (around.total_variance, t * sum.a / d);
    let own = t / d * (sum.c - sum.a * around.total);
    Node {
        own,
        own_variance: t / d + pull * pull * w,
        total: own + around.total,
        total_variance: t / d + w / (d * d),
        covariance: t / d - pull / d * w,
    }
}
