//! The banker's book as a table.

use std::fmt;

use crate::banker::state::BankerState;
use crate::banker::units::TaskId;

impl fmt::Display for BankerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |order: &[TaskId]| -> String {
            let names = order.iter().filter_map(|task| self.task_name(*task));
            names.map(|name| &**name).collect::<Vec<_>>().join(", ")
        };
        let mut rows = vec![vec![String::new()], vec!["total".into()], vec!["available".into()]];
        for resource in self.resources() {
            rows[0].push(self.resource_name(resource).to_string());
            rows[1].push(self.total(resource).to_string());
            rows[2].push(self.available(resource).to_string());
        }
        for task in self.tasks() {
            let mut row = vec![names(&[task])];
            row.extend(self.resources().map(|resource| match self.claimed(task, resource) {
                0 => "-".into(),
                claim => format!("{}/{claim}", self.held(task, resource)),
            }));
            rows.push(row);
        }
        let widths: Vec<usize> = (0..rows[0].len())
            .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
            .collect();
        for row in rows {
            write!(f, "{:<1$}", row[0], widths[0])?;
            for (cell, width) in row.iter().zip(&widths).skip(1) {
                write!(f, "  {cell:>width$}")?;
            }
            writeln!(f)?;
        }
        match self.safe_sequence() {
            Some(order) if order.is_empty() => write!(f, "safe: no tasks"),
            Some(order) => write!(f, "safe: {}", names(&order)),
            None => write!(f, "unsafe: {} may never finish", names(&self.unfinished())),
        }
    }
}
