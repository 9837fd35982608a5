//! Moments as bytes: a mark, a version, a checksum, then plain JSON (numbers keep every bit).

use sha2::{Digest, Sha256};

use super::moments::{Block, Moments};
use crate::{Error, Result};

const MARK: &[u8; 8] = b"bsmoment";
const VERSION: u32 = 1;
/// Mark, version and checksum.
const HEADER: usize = 8 + 4 + 32;

impl Moments {
    /// The moments as bytes, for a file or another machine.
    ///
    /// # Errors
    /// [`Error::Numerical`] when a sum is not finite.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        if !self.is_sound() {
            return Err(Error::Numerical { what: "the moments".into(), problem: "a sum is not finite".into() });
        }
        let body = serde_json::to_vec(self)
            .map_err(|e| Error::Numerical { what: "the moments as bytes".into(), problem: e.to_string() })?;
        let mut bytes = Vec::with_capacity(HEADER + body.len());
        bytes.extend_from_slice(MARK);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&Sha256::digest(&body));
        bytes.extend_from_slice(&body);
        Ok(bytes)
    }

    /// The moments that [`Moments::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for bytes that are something else, cut short or damaged; [`Error::NewerSchema`] for
    /// those of a newer version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let rest = bytes.strip_prefix(MARK).ok_or_else(|| damaged("they do not begin as moments do"))?;
        let (version, rest) = rest.split_first_chunk::<4>().ok_or_else(|| damaged("they are cut short"))?;
        let version = u32::from_le_bytes(*version);
        if version > VERSION {
            return Err(Error::NewerSchema { what: "the moments".into(), found: version, supported: VERSION });
        }
        let (sum, body) = rest.split_first_chunk::<32>().ok_or_else(|| damaged("they are cut short"))?;
        if Sha256::digest(body).as_slice() != sum {
            return Err(damaged("their checksum is not that of their content"));
        }
        let moments: Self = serde_json::from_slice(body).map_err(|e| damaged(&e.to_string()))?;
        if moments.is_sound() { Ok(moments) } else { Err(damaged("their parts do not fit together")) }
    }

    /// Whether all sums are finite, and lengths and indices fit together.
    fn is_sound(&self) -> bool {
        let width = self.width();
        let is_finite = |values: &[f64]| values.iter().all(|v| v.is_finite());
        let units = |block: usize| self.blocks.get(block).and_then(|b| b.levels.last()).map_or(0, |l| l.codes.len());
        let pairs_fit = self.pairs.iter().all(|p| {
            let (n, m) = (units(p.first), units(p.second));
            p.entries.iter().all(|&(i, j, w)| (i as usize) < n && (j as usize) < m && w.is_finite())
        });
        self.terms.len() + 1 == width
            && self.gram.len() == width * width
            && is_finite(&self.gram)
            && is_finite(&self.shift)
            && self.log_weights.is_finite()
            && !self.blocks.is_empty()
            && self.blocks.iter().all(|b| b.is_sound(width))
            && pairs_fit
            && (self.labels.is_empty() || self.labels.len() == self.n_levels())
            && self.levels().zip(&self.labels).all(|(l, t)| l.codes.iter().all(|c| (*c as usize) < t.labels.len()))
    }
}

impl Block {
    fn is_sound(&self, width: usize) -> bool {
        let mut above = 1;
        let levels_fit = self.levels.iter().all(|level| {
            let n = level.codes.len();
            let fits = level.parents.len() == n
                && level.n.len() == n
                && level.parents.iter().all(|p| (*p as usize) < above)
                && level.n.iter().all(|n| n.is_finite());
            above = n;
            fits
        });
        levels_fit
            && !self.levels.is_empty()
            && self.sums.len() == above * width
            && self.sums.iter().all(|v| v.is_finite())
    }
}

fn damaged(problem: &str) -> Error {
    Error::InvalidValue {
        what: "the bytes of moments".into(),
        found: problem.into(),
        remedy: "read them again from where they were written, or make the moments anew".into(),
    }
}
