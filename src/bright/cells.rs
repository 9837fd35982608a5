//! Where rows stand: the unit of each, and the cell of its unit in its period.

use super::persistence::Cell;
use crate::mixed::sorted_groups;

/// Where every row stands.
pub(super) struct Places {
    /// The unit, in the order of the codes of its groups and its own.
    unit_of_row: Vec<u32>,
    /// The unit in its period, in the order of both; `None` where there are no periods, so that it is the unit.
    cell_of_row: Option<Vec<u32>>,
}

impl Places {
    /// From the codes of groups, outermost first, and of the unit; and those of the period.
    pub(super) fn new(units: &[&[u32]], period: Option<&[u32]>) -> Self {
        let n_rows = units.first().map_or(0, |codes| codes.len());
        let unit_of_row = sorted_groups(n_rows, units);
        let cell_of_row = period.map(|period| {
            let n_periods = period.iter().max().map_or(1, |most| most.saturating_add(1));
            let n_units = unit_of_row.iter().max().map_or(1, |most| most.saturating_add(1));
            if n_units.checked_mul(n_periods).is_none() {
                return sorted_groups(n_rows, &[&unit_of_row, period]);
            }
            // One code for both: far more quickly looked up than a pair.
            let both: Vec<u32> = unit_of_row.iter().zip(period).map(|(unit, p)| unit * n_periods + p).collect();
            sorted_groups(n_rows, &[&both])
        });
        Self { unit_of_row, cell_of_row }
    }

    pub(super) fn unit_of_row(&self) -> &[u32] {
        &self.unit_of_row
    }

    /// The cells as codes of a factor within the unit: they say the same as those of the period.
    pub(super) fn cell_of_row(&self) -> &[u32] {
        self.cell_of_row.as_deref().unwrap_or(&self.unit_of_row)
    }
}

/// The rows of every unit summed by period.
pub(super) struct Cells {
    /// Unit after unit, its periods upwards.
    cells: Vec<Cell>,
    /// Where the cells of every unit begin, and where the last end.
    starts: Vec<usize>,
}

impl Cells {
    /// One cell per unit where there is no period or only one.
    pub(super) fn new(n_units: usize, places: &Places, period: Option<&[u32]>, residuals: &[f64]) -> Self {
        let cell_of_row = places.cell_of_row();
        let n_cells = cell_of_row.iter().max().map_or(0, |most| *most as usize + 1);
        let mut cells = vec![Cell { period: 0, n: 0.0, residual: 0.0 }; n_cells];
        let mut sizes = vec![0; n_units];
        for (row, ((cell, unit), residual)) in cell_of_row.iter().zip(&places.unit_of_row).zip(residuals).enumerate() {
            let (Some(cell), Some(size)) = (cells.get_mut(*cell as usize), sizes.get_mut(*unit as usize)) else {
                continue;
            };
            if cell.n == 0.0 {
                cell.period = period.and_then(|codes| codes.get(row)).copied().unwrap_or(0);
                *size += 1;
            }
            cell.n += 1.0;
            cell.residual += residual;
        }
        for cell in &mut cells {
            cell.residual /= cell.n;
        }
        let ends = sizes.iter().scan(0, |end, size: &usize| {
            *end += size;
            Some(*end)
        });
        Self { cells, starts: std::iter::once(0).chain(ends).collect() }
    }

    /// The cells of every unit.
    pub(super) fn by_unit(&self) -> impl Iterator<Item = &[Cell]> {
        self.starts.windows(2).map(|ends| match ends {
            [start, end] => self.cells.get(*start..*end).unwrap_or_default(),
            _ => &[],
        })
    }

    /// Every cell, whatever its unit.
    pub(super) fn all(&self) -> &[Cell] {
        &self.cells
    }
}
