//! A configuration file in the making.

use std::path::Path;

/// Settings by their dotted names.
#[derive(Clone, Default)]
pub struct Settings(toml::Table);

impl Settings {
    /// Sets one: `set("host.connect_timeout", "300ms")`.
    pub fn set(&mut self, name: &str, value: impl Into<toml::Value>) {
        let (table, last) = self.table(name);
        table.insert(last.to_owned(), value.into());
    }

    /// Takes one out, or a whole section.
    pub fn remove(&mut self, name: &str) {
        let (table, last) = self.table(name);
        table.remove(last);
    }

    /// A setting at the top that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// Writes the file.
    pub fn write(&self, file: &Path) {
        std::fs::write(file, toml::to_string(&self.0).unwrap()).unwrap();
    }

    fn table<'s, 'n>(&'s mut self, name: &'n str) -> (&'s mut toml::Table, &'n str) {
        let mut path: Vec<&str> = name.split('.').collect();
        let last = path.pop().unwrap();
        let mut table = &mut self.0;
        for step in path {
            let inner = table
                .entry(step)
                .or_insert_with(|| toml::Table::new().into());
            table = inner.as_table_mut().unwrap();
        }
        (table, last)
    }
}
