//! From rows of data to a series, by the kind of the measure.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Kind, Measure, Point, Series};
use crate::stats::summary::median;
use crate::{Error, Result};

/// One row of data, as it arrives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// The date.
    pub time: Option<Date>,
    /// The value; for a proportion or a rate, the count above the line.
    pub value: Option<f64>,
    /// The denominator, or the number of observations behind the value.
    pub size: Option<f64>,
}

impl Measure {
    /// The series of this measure: one point a date, rows of one date combined by the measure's kind.
    ///
    /// Means are weighted by `size` where the measure has a size column; proportions and rates are the sum of values over the sum of
    /// sizes (never an average of ratios); counts are summed; medians are taken over the rows.
    ///
    /// # Missing values
    /// Rows without a date, a value, or a needed denominator (missing, zero, negative) give no point; they are
    /// counted in `n_left_out`.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] where a proportion would exceed 1 or be negative.
    pub fn series(&self, rows: impl IntoIterator<Item = Row>) -> Result<Series> {
        let weighted = self.size.is_some();
        let mut by_date: BTreeMap<Date, Vec<(f64, f64)>> = BTreeMap::new();
        let mut n_left_out = 0;
        for row in rows {
            let size = if weighted { row.size.filter(|size| size.is_finite() && *size > 0.0) } else { Some(1.0) };
            match (row.time, row.value.filter(|value| value.is_finite()), size) {
                (Some(time), Some(value), Some(size)) => by_date.entry(time).or_default().push((value, size)),
                _ => n_left_out += 1,
            }
        }
        let mut n_combined = 0;
        let mut points = Vec::with_capacity(by_date.len());
        for (time, mut group) in by_date {
            // Sums depend on the order of their terms in the last bit; the order of rows must decide nothing.
            group.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
            if group.len() > 1 {
                n_combined += group.len();
            }
            let (value, size) = self.combine(&group);
            if self.kind == Kind::Proportion && !(0.0..=1.0).contains(&value) {
                return Err(Error::InvalidValue {
                    what: format!("the proportion {:?}", self.name),
                    found: format!("{value} on {time}"),
                    remedy: "`value` holds the count above the line and `size` the count below it; a count that can \
                             exceed its denominator is a rate (kind=\"rate\")"
                        .into(),
                });
            }
            points.push(Point { time, value, size: Some(size) });
        }
        Ok(Series { points, n_left_out, n_combined, ..Series::default() })
    }

    fn combine(&self, group: &[(f64, f64)]) -> (f64, f64) {
        let size: f64 = group.iter().map(|(_, size)| size).sum();
        let sum: f64 = group.iter().map(|(value, _)| value).sum();
        let value = match self.kind {
            // One row keeps its value to the last bit.
            Kind::Mean => match group {
                [(value, _)] => *value,
                _ => group.iter().map(|(value, size)| value * size).sum::<f64>() / size,
            },
            Kind::Proportion => sum / size,
            Kind::Rate => sum / size * self.per,
            Kind::Count => sum,
            Kind::Median => median(&mut group.iter().map(|(value, _)| *value).collect()).unwrap_or(f64::NAN),
        };
        (value, size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(day: i8, value: f64, size: f64) -> Row {
        Row { time: Some(Date::constant(2026, 9, day)), value: Some(value), size: Some(size) }
    }

    fn values(measure: &Measure, rows: &[Row]) -> Vec<f64> {
        measure.series(rows.iter().copied()).unwrap().points.iter().map(|point| point.value).collect()
    }

    #[test]
    fn each_kind_combines_in_its_own_way() {
        let rows = [row(8, 40.0, 50.0), row(1, 3.0, 10.0), row(8, 90.0, 200.0), row(8, 20.0, 50.0)];
        let of = |kind, size: bool, per| {
            let measure = Measure { kind, size: size.then(|| "n".to_owned()), per, ..Measure::new("m") };
            values(&measure, &rows)
        };
        assert_eq!(of(Kind::Mean, false, 1.0), [3.0, 50.0]);
        assert_eq!(of(Kind::Mean, true, 1.0), [3.0, (2000.0 + 18000.0 + 1000.0) / 300.0]);
        assert_eq!(of(Kind::Proportion, true, 1.0), [0.3, 0.5]);
        assert_eq!(of(Kind::Rate, true, 100.0), [30.0, 50.0]);
        assert_eq!(of(Kind::Count, false, 1.0), [3.0, 150.0]);
        assert_eq!(of(Kind::Median, false, 1.0), [3.0, 40.0]);
    }

    #[test]
    fn what_gives_no_point_is_counted() {
        let measure = Measure { kind: Kind::Proportion, size: Some("n".into()), ..Measure::new("m") };
        let mut rows =
            vec![row(1, 1.0, 2.0), row(2, 1.0, 0.0), row(3, f64::NAN, 2.0), row(4, 1.0, 4.0), row(4, 0.0, 4.0)];
        rows.push(Row { time: None, value: Some(1.0), size: Some(1.0) });
        let series = measure.series(rows).unwrap();
        assert_eq!(series.points.len(), 2);
        assert_eq!((series.n_left_out, series.n_combined), (3, 2));
        assert_eq!(series.points[1].size, Some(8.0));
        assert_eq!(measure.series([row(1, 3.0, 2.0)]).unwrap_err().code(), "invalid_value");
    }
}
