//! Who sits where: how many sessions there are, of whom, and at which machine.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use crate::id::SessionId;
use crate::store::{Claim, Denied, Entry};

/// The sessions by what quotas and sharing ask for.
#[derive(Debug, Default)]
pub(super) struct Seats {
    in_all: usize,
    clients: HashMap<IpAddr, usize>,
    labels: HashMap<(String, String), usize>,
    machines: HashMap<Arc<str>, BTreeSet<SessionId>>,
}

impl Seats {
    /// The sessions at a machine, those that are lost included.
    pub(super) fn at(&self, machine: &str) -> impl Iterator<Item = SessionId> {
        self.machines.get(machine).into_iter().flatten().copied()
    }

    /// Whether there is a seat for one more, once those that are `leaving` are gone.
    pub(super) fn check<'e>(
        &self,
        claim: &Claim,
        leaving: impl Iterator<Item = &'e Entry>,
    ) -> Result<(), Denied> {
        let leaving: Vec<_> = leaving.collect();
        let quotas = &claim.quotas;
        let full = |taken: usize, most: Option<usize>, freed: usize| {
            most.is_some_and(|most| taken.saturating_sub(freed) >= most)
        };
        if full(self.in_all, quotas.in_all, leaving.len()) {
            return Err(Denied::Quota("in all".to_owned()));
        }
        let client = claim.entry.client;
        let taken = self.clients.get(&client).copied().unwrap_or_default();
        let freed = leaving.iter().filter(|it| it.client == client).count();
        if full(taken, quotas.per_client, freed) {
            return Err(Denied::Quota("from one address".to_owned()));
        }
        for (key, most) in &quotas.per_label {
            let Some(value) = claim.entry.labels.get(key) else {
                continue;
            };
            let label = (key.clone(), value.to_owned());
            let taken = self.labels.get(&label).copied().unwrap_or_default();
            let same = |it: &&&Entry| it.labels.get(key) == Some(value);
            if full(taken, Some(*most), leaving.iter().filter(same).count()) {
                return Err(Denied::Quota(format!("for one {key}")));
            }
        }
        Ok(())
    }

    pub(super) fn take(&mut self, entry: &Entry) {
        self.in_all += 1;
        *self.clients.entry(entry.client).or_default() += 1;
        for label in labels(entry) {
            *self.labels.entry(label).or_default() += 1;
        }
        let machine = self.machines.entry(entry.machine.clone()).or_default();
        machine.insert(entry.id);
    }

    /// A session goes on with another entry: its browser may have another address now.
    pub(super) fn change(&mut self, was: &Entry, is: &Entry) {
        let same = was.client == is.client && was.machine == is.machine && was.labels == is.labels;
        if !same {
            self.leave(was);
            self.take(is);
        }
    }

    /// Undoes [`Seats::take`] with the same entry.
    pub(super) fn leave(&mut self, entry: &Entry) {
        self.in_all = self.in_all.saturating_sub(1);
        one_less(&mut self.clients, &entry.client);
        for label in labels(entry) {
            one_less(&mut self.labels, &label);
        }
        if let Some(machine) = self.machines.get_mut(&entry.machine) {
            machine.remove(&entry.id);
            if machine.is_empty() {
                self.machines.remove(&entry.machine);
            }
        }
    }
}

fn labels(entry: &Entry) -> impl Iterator<Item = (String, String)> {
    let labels = entry.labels.iter();
    labels.map(|(key, value)| (key.to_owned(), value.to_owned()))
}

/// Counts down, and keeps nothing that counts none.
fn one_less<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
