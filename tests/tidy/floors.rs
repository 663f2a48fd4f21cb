//! The floor table of docs/ARCHITECTURE.md, and what it demands of the sources.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::Source;

/// What the table says.
#[derive(Default)]
pub(crate) struct Floors {
    /// The floor of each module.
    of: BTreeMap<String, u8>,
    /// Who may use whom on one floor.
    beside: BTreeSet<(String, String)>,
}

impl Floors {
    /// Reads the section "Floors" of the document.
    pub(crate) fn parse(document: &str) -> Self {
        let section = document.split("\n## Floors\n").nth(1).unwrap_or_default();
        let section = section.split("\n## ").next().unwrap_or_default();
        let mut floors = Self::default();
        for line in section.lines() {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let [_, floor, modules, beside, _] = cells[..] else {
                continue;
            };
            let Some(Ok(floor)) = floor.split(' ').next().map(str::parse) else {
                continue;
            };
            for module in quoted(modules) {
                floors.of.insert(module, floor);
            }
            for rule in beside.split(", ") {
                let Some((user, used)) = rule.split_once('→') else {
                    continue;
                };
                for user in quoted(user) {
                    let pairs = quoted(used).map(|used| (user.clone(), used));
                    floors.beside.extend(pairs);
                }
            }
        }
        floors
    }

    /// The floor of the module that a file belongs to.
    pub(crate) fn of(&self, source: &Source) -> Option<u8> {
        self.of.get(*source.module().first()?).copied()
    }

    /// Modules and rows that have no counterpart.
    pub(crate) fn strangers(&self, sources: &[Source]) -> Vec<String> {
        let top = |source: &Source| source.module().first().map(|it| (*it).to_owned());
        let there: BTreeSet<String> = sources.iter().filter_map(top).collect();
        let no_floor = there.iter().filter(|module| {
            !self.of.contains_key(*module) && !["lib", "main"].contains(&module.as_str())
        });
        let no_module = self.of.keys().filter(|module| !there.contains(*module));
        no_floor
            .map(|module| format!("`{module}` has no floor: give it one in docs/ARCHITECTURE.md"))
            .chain(no_module.map(|module| {
                format!("`{module}` is in the floor table and not in src/: take it out")
            }))
            .collect()
    }

    /// Uses of higher floors, and uses on one floor that the table does not list.
    pub(crate) fn climbers(&self, source: &Source) -> Vec<String> {
        let module = source.module();
        let (Some(&user), Some(floor)) = (module.first(), self.of(source)) else {
            return Vec::new();
        };
        let used: BTreeSet<String> = source
            .paths()
            .into_iter()
            .filter(|path| path[0] == "crate")
            .filter_map(|path| path.get(1).cloned())
            .filter(|used| used != user)
            .collect();
        let path = &source.path;
        let problem = |used: &String| match self.of.get(used)? {
            higher if *higher > floor => Some(format!(
                "{path} uses `{used}` of floor {higher} from floor {floor}: move what both need to a lower floor, or hand it in as a parameter"
            )),
            same if *same == floor && !self.beside.contains(&(user.to_owned(), used.clone())) => {
                Some(format!(
                    "{path} uses `{used}` on its own floor: list `{user}` → `{used}` in docs/ARCHITECTURE.md if that is meant"
                ))
            }
            _ => None,
        };
        used.iter().filter_map(problem).collect()
    }
}

/// The words between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}

const EXAMPLE: &str = "\n## Floors\n\n| floor | modules | beside |\n|---|---|---|\n\
    | 5 process | `config` | |\n| 4 service | `http` | |\n| 2 I/O | `host` `drive` `stream` | `host` → `drive` |\n\
    | 1 protocol | `rfb` `ws` | |\n| 0 words | `wire` | |\n\n## Next\n| 9 x | `y` | |\n";

#[test]
fn the_table_is_held_against_the_sources() {
    let floors = Floors::parse(EXAMPLE);
    let problems = |path, text| floors.climbers(&Source::new(path, text)).len();
    assert_eq!(
        problems("src/host/dial.rs", "use crate::{drive::x, wire, rfb::y};"),
        0
    );
    assert_eq!(
        problems("src/drive.rs", "use crate::host::x;"),
        1,
        "not listed"
    );
    assert_eq!(
        problems("src/host/dial.rs", "use crate::{stream::x, rfb::y};"),
        1,
        "not listed"
    );
    assert_eq!(
        problems("src/rfb/init.rs", "fn f() { crate::host::g() }"),
        1,
        "upwards"
    );
    assert_eq!(
        problems("src/rfb/init.rs", "use super::super::stream::S;"),
        1,
        "upwards"
    );
    assert_eq!(
        problems("src/rfb/init.rs", "pub(in crate::ws) fn f() {}"),
        1,
        "a neighbour"
    );
    assert_eq!(
        problems("src/http/mod.rs", "use crate::config::Config;"),
        1,
        "upwards"
    );
    assert_eq!(
        problems("src/rfb/init.rs", "#[cfg(test)]\nuse crate::host::x;"),
        0
    );
}

#[test]
fn modules_and_rows_belong_together() {
    let floors = Floors::parse(EXAMPLE);
    let paths = [
        "config", "host", "drive", "stream", "http", "rfb", "ws", "wire", "lib",
    ];
    let mut sources: Vec<Source> = paths
        .map(|name| Source::new(&format!("src/{name}.rs"), ""))
        .into();
    assert_eq!(floors.strangers(&sources), [""; 0]);
    sources.pop();
    sources.pop();
    sources.push(Source::new("src/new/mod.rs", ""));
    assert_eq!(floors.strangers(&sources).len(), 2);
}
