//! Linked lists in one arena: the live tail of the rows.

use alloc::vec::Vec;

use super::NONE;

/// For each node a list of entries, newest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Chains {
    head: Vec<u32>,
    links: Vec<(u32, u32)>,
}

impl Chains {
    /// Adds an entry to the list of a node, unless the list got one since a place of [`Chains::len`].
    pub(super) fn push_once(&mut self, node: u32, entry: u32, since: usize) {
        let at = node as usize;
        if self.head.len() <= at {
            self.head.resize(at.saturating_add(1), NONE);
        }
        if let Some(head) = self.head.get_mut(at)
            && (*head == NONE || (*head as usize) < since)
        {
            let link = self.links.len() as u32;
            self.links.push((entry, *head));
            *head = link;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.links.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.head.len().saturating_mul(4).saturating_add(self.links.len().saturating_mul(8))
    }

    #[inline]
    pub(super) fn iter(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        let mut next = self.head.get(node as usize).copied().unwrap_or(NONE);
        core::iter::from_fn(move || {
            let &(entry, after) = self.links.get(next as usize)?;
            next = after;
            Some(entry)
        })
    }

    pub(super) fn clear(&mut self) {
        self.head = Vec::new();
        self.links = Vec::new();
    }
}
