//! From one version of a taxonomy to the next.
//!
//! In: a mapping from old codes to new ones, checked against both versions. Out: counts and
//! histories read in the new version. Codes may be renamed and merged; every old code has exactly
//! one new code, so no line is lost and none is counted twice. Records are never rewritten: a
//! history keeps the old code, and the mapping is applied when it is counted.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::ReasonCode;
use super::counts::{CountError, ReasonCounts};
use super::taxonomy::{Reason, Taxonomy};

/// A mapping between two versions, as written, not yet checked.
///
/// A code that both versions have, and that is in use in the new one, maps to itself unless stated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MigrationDraft {
    /// The old version.
    pub from: u32,
    /// The new version.
    pub to: u32,
    /// Old code to new code.
    pub map: BTreeMap<ReasonCode, ReasonCode>,
}

/// One thing wrong with a mapping.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationDefect {
    /// The mapping is for other versions than those given.
    #[error("the mapping goes from version {from} to {to}, the taxonomies are {old} and {new}")]
    OtherVersions {
        /// The old version stated.
        from: u32,
        /// The new version stated.
        to: u32,
        /// The old version given.
        old: u32,
        /// The new version given.
        new: u32,
    },
    /// An old code has no new one.
    #[error("reason {code} has no successor in the new version")]
    NotMapped {
        /// The old code.
        code: ReasonCode,
    },
    /// The mapping names an old code that the old version lacks.
    #[error("reason {code} is not in the old version")]
    UnknownOld {
        /// The code.
        code: ReasonCode,
    },
    /// The mapping names a new code that the new version lacks or has retired.
    #[error("reason {code} maps to {target}, which is not in use in the new version")]
    UnknownNew {
        /// The old code.
        code: ReasonCode,
        /// The new code.
        target: ReasonCode,
    },
}

/// Everything wrong with a mapping, in the order of the codes; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationDefects(Vec<MigrationDefect>);

impl MigrationDefects {
    /// The list.
    #[must_use]
    pub fn list(&self) -> &[MigrationDefect] {
        &self.0
    }
}

impl fmt::Display for MigrationDefects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, defect) in self.0.iter().enumerate() {
            write!(f, "{}{defect}", if position == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl core::error::Error for MigrationDefects {}

/// Why counts or two mappings cannot be brought together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// A code is not in the old version.
    #[error("reason {code} is not in version {version}")]
    UnknownCode {
        /// The code.
        code: ReasonCode,
        /// The old version.
        version: u32,
    },
    /// The second mapping does not start where the first ends.
    #[error("the first mapping ends at version {to}, the second starts at {from}")]
    Gap {
        /// Where the first ends.
        to: u32,
        /// Where the second starts.
        from: u32,
    },
    /// The counts do not fit.
    #[error(transparent)]
    Count(#[from] CountError),
}

/// A verified mapping: every code of the old version, retired ones too, has one code in use in the
/// new version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    from: u32,
    to: u32,
    map: BTreeMap<ReasonCode, ReasonCode>,
}

impl Migration {
    /// Checks a mapping against both versions.
    ///
    /// # Errors
    ///
    /// [`MigrationDefects`]: everything that is wrong.
    pub fn verify(
        draft: &MigrationDraft,
        old: &Taxonomy,
        new: &Taxonomy,
    ) -> Result<Self, MigrationDefects> {
        let mut found = Vec::new();
        if (draft.from, draft.to) != (old.version(), new.version()) {
            found.push(MigrationDefect::OtherVersions {
                from: draft.from,
                to: draft.to,
                old: old.version(),
                new: new.version(),
            });
        }
        for code in draft.map.keys().filter(|code| old.reason(code).is_none()) {
            found.push(MigrationDefect::UnknownOld { code: code.clone() });
        }
        let in_use = |code: &ReasonCode| new.reason(code).is_some_and(Reason::is_in_use);
        let mut map = BTreeMap::new();
        for reason in old.reasons() {
            let code = &reason.code;
            let replaced = new
                .reason(code)
                .and_then(|reason| reason.retired.as_ref())
                .and_then(|retired| retired.replaced_by.as_ref());
            match draft.map.get(code).or(replaced) {
                Some(target) if in_use(target) => {
                    map.insert(code.clone(), target.clone());
                }
                Some(target) => {
                    let (code, target) = (code.clone(), target.clone());
                    found.push(MigrationDefect::UnknownNew { code, target });
                }
                None if in_use(code) => {
                    map.insert(code.clone(), code.clone());
                }
                None => found.push(MigrationDefect::NotMapped { code: code.clone() }),
            }
        }
        if found.is_empty() {
            Ok(Self { from: draft.from, to: draft.to, map })
        } else {
            Err(MigrationDefects(found))
        }
    }

    /// The old and the new version.
    #[must_use]
    pub const fn versions(&self) -> (u32, u32) {
        (self.from, self.to)
    }

    /// The new code of an old one; none when the old version lacks it.
    #[must_use]
    pub fn target(&self, old: &ReasonCode) -> Option<&ReasonCode> {
        self.map.get(old)
    }

    /// Counts of the old version read in the new one; the total stays the same.
    ///
    /// # Errors
    ///
    /// [`MigrationError::UnknownCode`] for a code that the old version lacks: nothing is dropped
    /// quietly.
    pub fn counts(&self, old: &ReasonCounts) -> Result<ReasonCounts, MigrationError> {
        let mut new = ReasonCounts::new();
        for (code, count) in old.iter() {
            let target = self.target(code).ok_or_else(|| MigrationError::UnknownCode {
                code: code.clone(),
                version: self.from,
            })?;
            new.add(target, count)?;
        }
        Ok(new)
    }

    /// This mapping and then the next one, as one.
    ///
    /// # Errors
    ///
    /// [`MigrationError::Gap`] when the next one starts at another version, and
    /// [`MigrationError::UnknownCode`] when it lacks a code that this one gives.
    pub fn then(&self, next: &Self) -> Result<Self, MigrationError> {
        if self.to != next.from {
            return Err(MigrationError::Gap { to: self.to, from: next.from });
        }
        let map = self
            .map
            .iter()
            .map(|(old, middle)| {
                let unknown =
                    || MigrationError::UnknownCode { code: middle.clone(), version: next.from };
                Ok((old.clone(), next.target(middle).ok_or_else(unknown)?.clone()))
            })
            .collect::<Result<_, MigrationError>>()?;
        Ok(Self { from: self.from, to: next.to, map })
    }
}
