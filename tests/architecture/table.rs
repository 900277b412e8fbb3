//! A table of layers in a document.

/// The rooms of each layer, from the lowest to the highest.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

/// Where a room stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// In a row before it.
    Below,
    /// In its row.
    Beside,
    /// In a row behind it.
    Above,
}

impl Table {
    /// The table under the heading `Layers of NAME`.
    pub(crate) fn find(document: &str, name: &str) -> Option<Table> {
        let heading = format!("Layers of {name}");
        let mut lines = document.lines();
        lines
            .find(|line| line.starts_with('#') && line.trim_start_matches('#').trim() == heading)?;
        let is_row = |line: &&str| line.trim_start().starts_with('|');
        let section = lines.take_while(|line| !line.starts_with('#'));
        let rows = section.skip_while(|line| !is_row(line)).take_while(is_row);
        // The heads of the columns, and the line under them.
        let rows: Vec<Vec<String>> = rows.skip(2).map(rooms).collect();
        (!rows.is_empty()).then_some(Table { rows })
    }

    /// All rooms.
    pub(crate) fn rooms(&self) -> impl Iterator<Item = &String> {
        self.rows.iter().flatten()
    }

    /// Where `room` stands to `other`, if both are there.
    pub(crate) fn standing(&self, room: &str, other: &str) -> Option<Standing> {
        let row = |room: &str| self.rows.iter().position(|row| row.iter().any(|one| one == room));
        Some(match row(room)?.cmp(&row(other)?) {
            std::cmp::Ordering::Less => Standing::Below,
            std::cmp::Ordering::Equal => Standing::Beside,
            std::cmp::Ordering::Greater => Standing::Above,
        })
    }
}

/// The rooms of a row: what is in code quotes in its first cell. A folder may be written `a/`.
fn rooms(row: &str) -> Vec<String> {
    let cell = row.trim().trim_start_matches('|').split('|').next().unwrap_or("");
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted.map(|name| name.trim_end_matches('/').trim_end_matches(".rs").to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Standing, Table};

    #[test]
    fn a_table_is_read_row_by_row() {
        let text = "# A\n## Layers of it\ntext\n\n| r | w |\n|---|---|\n| `a` | `x` |\n| `b/` `c.rs` | |\n\n| `d` | |\n## Layers of that\n";
        let table = Table::find(text, "it").expect("it is there");
        assert_eq!(table.rooms().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(table.standing("a", "c"), Some(Standing::Below));
        assert_eq!(table.standing("b", "c"), Some(Standing::Beside));
        assert_eq!(table.standing("c", "a"), Some(Standing::Above));
        assert_eq!(table.standing("d", "a"), None);
        assert_eq!(Table::find(text, "that"), None);
        assert_eq!(Table::find(text, "other"), None);
    }
}
