//! Tallies: sales and returns counted by any dimensions, in one pass, mergeable across shards.
//!
//! In: [`SaleRow`]s and [`ReturnRow`]s, or any [`Measure`] by [`Facets`]. Out: one measure per
//! combination of codes seen, in order. Merging tallies of the same dimensions is commutative and
//! associative, and the stored bytes are the same in any order. Memory is bounded by a limit on
//! cells; past it, observing is refused and nothing is dropped quietly.
//!
//! For dictionary-coded rows by the million use [`super::grid`].

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::AnalyticsError;
use super::measure::{Answers, Desk, LONGEST_SECONDS, Outcome};
use super::month::Month;
use super::state::{FORMAT, Measure, Reader, TakeOut, read_head, write_text, write_unsigned};
use crate::feedback::survey::Scores;
use crate::label::{Coded, codes};
use crate::money::Money;

codes! {
    /// What a tally tells apart.
    pub enum Dimension "dimension" {
        /// Calendar month of the return (or of the sale, for sales).
        Period = "period", "Month", "月份";
        /// Calendar month of the sale, on returns too: the cohort.
        SoldMonth = "sold_month", "Month of sale", "销售月份";
        /// Product category.
        Category = "category", "Category", "品类";
        /// Article.
        Sku = "sku", "Article", "商品";
        /// Sales channel.
        Channel = "channel", "Channel", "渠道";
        /// Region of the customer.
        Region = "region", "Region", "地区";
        /// Customer segment.
        Segment = "segment", "Customer segment", "客户分层";
        /// Reason, first level.
        Reason = "reason", "Reason", "退货原因";
        /// Reason, second level.
        ReasonDetail = "reason_detail", "Detailed reason", "细分原因";
        /// A facet of the reason, such as the part that failed.
        ReasonFacet = "reason_facet", "Facet of the reason", "原因维度";
        /// Liable party.
        Party = "party", "Liable party", "责任方";
        /// Supplier.
        Supplier = "supplier", "Supplier", "供应商";
        /// Lot or batch.
        Lot = "lot", "Lot", "批次";
        /// Person or team that handled the case.
        Handler = "handler", "Handler", "处理人";
        /// What was done: refund, exchange, repair.
        Action = "action", "Action", "处理方式";
        /// Currency of the amounts.
        Currency = "currency", "Currency", "币种";
    }
}

/// The longest code in a facet, in bytes.
pub const CODE_BYTES: usize = 128;

/// The codes of one row, by dimension. A dimension that a row lacks counts as the empty code,
/// unknown.
///
/// ```
/// use aftersale::analytics::tally::{Dimension, Facets};
/// let row = Facets::new()
///     .with(Dimension::Category, "jackets")?
///     .with(Dimension::Reason, "wrong_size")?;
/// assert_eq!(row.code(Dimension::Category), "jackets");
/// assert_eq!(row.code(Dimension::Supplier), "");
/// # Ok::<(), aftersale::analytics::AnalyticsError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<Dimension, String>", into = "BTreeMap<Dimension, String>")]
pub struct Facets(BTreeMap<Dimension, SmolStr>);

impl TryFrom<BTreeMap<Dimension, String>> for Facets {
    type Error = AnalyticsError;
    fn try_from(codes: BTreeMap<Dimension, String>) -> Result<Self, AnalyticsError> {
        codes
            .into_iter()
            .try_fold(Self::new(), |facets, (dimension, code)| facets.with(dimension, code))
    }
}

impl From<Facets> for BTreeMap<Dimension, String> {
    fn from(facets: Facets) -> Self {
        facets.0.into_iter().map(|(dimension, code)| (dimension, code.as_str().into())).collect()
    }
}

impl Facets {
    /// No codes yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds a code, or replaces it.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::TooMany`] past [`CODE_BYTES`].
    pub fn with(
        mut self,
        dimension: Dimension,
        code: impl AsRef<str>,
    ) -> Result<Self, AnalyticsError> {
        let code = code.as_ref();
        if code.len() > CODE_BYTES {
            return Err(AnalyticsError::TooMany { name: "the bytes of a code", limit: CODE_BYTES });
        }
        self.0.insert(dimension, SmolStr::new(code));
        Ok(self)
    }

    /// Adds the month of an event.
    #[must_use]
    pub fn in_month(mut self, month: Month) -> Self {
        self.0.insert(Dimension::Period, SmolStr::new(alloc::format!("{month}")));
        self
    }

    /// The code of a dimension; empty where it is unknown.
    #[must_use]
    pub fn code(&self, dimension: Dimension) -> &str {
        self.0.get(&dimension).map_or("", SmolStr::as_str)
    }
}

/// Units of one order line sold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaleRow {
    /// Where it counts.
    pub facets: Facets,
    /// How many units.
    pub units: u32,
    /// The price paid for all of them.
    pub value: Money,
}

/// Units of one order line returned, with what the case cost and how it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReturnRow {
    /// Where it counts.
    pub facets: Facets,
    /// How many units, each sold unit once; 0 for a line that was asked back and did not return.
    pub units: u32,
    /// How many units came back that had gone out in exchange.
    #[serde(default)]
    pub repeat_units: u32,
    /// The price paid for the units.
    pub value: Money,
    /// What it cost; nothing if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub costs: Option<Costs>,
    /// Business seconds from request to completion, if complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handling_seconds: Option<u64>,
    /// Business seconds from request to the first answer, if answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_response_seconds: Option<u64>,
    /// Whether the service goal was met, if one ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal_met: Option<Outcome>,
    /// Whether the case was settled without reopening or correction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_time_right: Option<Outcome>,
    /// Whether the same unit, or its replacement, had been returned before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Outcome>,
    /// What the customer answered, if a survey was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub survey: Option<Answered>,
}

impl ReturnRow {
    /// Everything that can be refused without looking at the cell, before anything is counted.
    fn check(&self) -> Result<(), AnalyticsError> {
        let mut desk = Desk::default();
        desk.minor(self.value)?;
        for amount in self.costs.iter().flat_map(Costs::amounts) {
            desk.minor(amount)?;
        }
        let times = [self.handling_seconds, self.first_response_seconds];
        if times.into_iter().flatten().any(|seconds| seconds > LONGEST_SECONDS) {
            return Err(AnalyticsError::TooLarge { name: "a duration" });
        }
        self.survey.map_or(Ok(()), |survey| survey.count_into(&mut desk.answers))
    }
}

/// The answers to a survey that was sent; nothing for a question not answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// Satisfaction, 1 to 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub satisfaction: Option<u8>,
    /// Likelihood to recommend, 0 to 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommendation: Option<u8>,
}

impl Answered {
    fn count_into(self, answers: &mut Answers) -> Result<(), AnalyticsError> {
        answers.invite()?;
        self.satisfaction.map_or(Ok(()), |answer| answers.satisfied(answer))?;
        self.recommendation.map_or(Ok(()), |answer| answers.recommends(answer))
    }
}

impl From<&Scores> for Answered {
    /// The mean of several satisfaction answers counts as the whole answer below it: a mean of 3.9
    /// is not satisfied.
    fn from(scores: &Scores) -> Self {
        let whole = scores.satisfaction_hundredths.and_then(|mean| mean.checked_div(100));
        let satisfaction = whole.and_then(|answer| u8::try_from(answer).ok());
        Self { satisfaction, recommendation: scores.recommendation }
    }
}

/// What one return cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// Refunded to the customer.
    pub refund: Money,
    /// Freight back and out again.
    pub freight: Money,
    /// Loss of value of the goods.
    pub depreciation: Money,
    /// Work.
    pub handling: Money,
    /// Recovered from resale, repair or supplier.
    pub recovered: Money,
}

impl Costs {
    const fn amounts(&self) -> [Money; 5] {
        [self.refund, self.freight, self.depreciation, self.handling, self.recovered]
    }
}

/// A measure for every combination of codes seen.
///
/// ```
/// use aftersale::analytics::measure::Sum;
/// use aftersale::analytics::tally::{Dimension, Facets, Tally};
/// let by_reason = |rows: &[(&str, i64)]| {
///     let mut tally: Tally<Sum> = Tally::new(&[Dimension::Reason], 100)?;
///     for (reason, cents) in rows {
///         let facets = Facets::new().with(Dimension::Reason, reason)?;
///         tally.cell(&facets)?.observe(*cents)?;
///     }
///     Ok::<_, aftersale::analytics::AnalyticsError>(tally)
/// };
/// let mut east = by_reason(&[("wrong_size", 4_990), ("broken_zip", 8_900)])?;
/// let west = by_reason(&[("wrong_size", 5_990)])?;
/// east.merge(&west)?;
/// let sizes = east.cells().find(|(codes, _)| codes[0] == "wrong_size").ok_or("no cell")?;
/// assert_eq!((sizes.1.count(), sizes.1.total()), (2, 10_980));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    try_from = "TallyWire<M>",
    into = "TallyWire<M>",
    bound(serialize = "M: Measure + Serialize", deserialize = "M: Measure + Deserialize<'de>")
)]
pub struct Tally<M> {
    dimensions: Vec<Dimension>,
    limit: usize,
    cells: BTreeMap<Box<[SmolStr]>, M>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TallyWire<M> {
    dimensions: Vec<Dimension>,
    limit: usize,
    cells: Vec<(Vec<String>, M)>,
}

impl<M: Measure> TryFrom<TallyWire<M>> for Tally<M> {
    type Error = AnalyticsError;
    fn try_from(wire: TallyWire<M>) -> Result<Self, AnalyticsError> {
        let mut tally = Self::new(&wire.dimensions, wire.limit)?;
        for (codes, measure) in wire.cells {
            let (found, expected) = (codes.len(), wire.dimensions.len());
            if found != expected {
                return Err(AnalyticsError::Length {
                    name: "the codes of a cell",
                    found,
                    expected,
                });
            }
            if codes.iter().any(|code| code.len() > CODE_BYTES) {
                let name = "the bytes of a code";
                return Err(AnalyticsError::TooMany { name, limit: CODE_BYTES });
            }
            tally.cell_of(codes.iter().map(SmolStr::new).collect())?.merge(&measure)?;
        }
        Ok(tally)
    }
}

impl<M> From<Tally<M>> for TallyWire<M> {
    fn from(tally: Tally<M>) -> Self {
        let codes = |codes: Box<[SmolStr]>| codes.iter().map(|code| code.as_str().into()).collect();
        Self {
            dimensions: tally.dimensions,
            limit: tally.limit,
            cells: tally.cells.into_iter().map(|(key, measure)| (codes(key), measure)).collect(),
        }
    }
}

/// The most cells that stored state may have.
pub const MAX_CELLS: usize = 10_000_000;

impl<M: Measure> Tally<M> {
    /// An empty tally over these dimensions, with room for `limit` cells.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::TooMany`] when a dimension is named twice or the limit is above
    /// [`MAX_CELLS`].
    pub fn new(dimensions: &[Dimension], limit: usize) -> Result<Self, AnalyticsError> {
        let mut seen = dimensions.to_vec();
        seen.sort_unstable();
        if seen.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return Err(AnalyticsError::TooMany { name: "a dimension", limit: 1 });
        }
        if limit > MAX_CELLS {
            return Err(AnalyticsError::TooMany { name: "cells", limit: MAX_CELLS });
        }
        Ok(Self { dimensions: dimensions.to_vec(), limit, cells: BTreeMap::new() })
    }

    /// The dimensions, in the order of the codes.
    #[must_use]
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// The cell of these facets, made if it is new. Facets outside the dimensions are ignored.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::TooMany`] when a new cell would pass the limit.
    pub fn cell(&mut self, facets: &Facets) -> Result<&mut M, AnalyticsError> {
        let key = self.dimensions.iter().map(|d| SmolStr::new(facets.code(*d))).collect();
        self.cell_of(key)
    }

    fn cell_of(&mut self, key: Box<[SmolStr]>) -> Result<&mut M, AnalyticsError> {
        if self.cells.len() >= self.limit && !self.cells.contains_key(&key) {
            return Err(AnalyticsError::TooMany { name: "cells", limit: self.limit });
        }
        Ok(self.cells.entry(key).or_default())
    }

    /// The codes and measures, in the order of the codes.
    pub fn cells(&self) -> impl Iterator<Item = (&[SmolStr], &M)> {
        self.cells.iter().map(|(codes, measure)| (codes.as_ref(), measure))
    }

    /// The measure of one combination of codes.
    #[must_use]
    pub fn at(&self, codes: &[&str]) -> Option<&M> {
        let key: Box<[SmolStr]> = codes.iter().map(SmolStr::new).collect();
        self.cells.get(&key)
    }

    /// Everything together.
    ///
    /// # Errors
    ///
    /// As [`Measure::merge`].
    pub fn total(&self) -> Result<M, AnalyticsError> {
        let mut total = M::default();
        for measure in self.cells.values() {
            total.merge(measure)?;
        }
        Ok(total)
    }

    /// Adds what another shard has counted. On an error the tally is left half merged and must be
    /// thrown away.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::Unlike`] for other dimensions, [`AnalyticsError::TooMany`] past the limit
    /// of cells, and as [`Measure::merge`].
    pub fn merge(&mut self, other: &Self) -> Result<(), AnalyticsError> {
        if self.dimensions != other.dimensions {
            return Err(AnalyticsError::Unlike { name: "their dimensions" });
        }
        for (codes, measure) in &other.cells {
            if let Some(cell) = self.cells.get_mut(codes) {
                cell.merge(measure)?;
            } else {
                *self.cell_of(codes.clone())? = measure.clone();
            }
        }
        Ok(())
    }

    /// The same facts by fewer dimensions.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::Unlike`] for a dimension that this tally does not have, and as
    /// [`Measure::merge`].
    pub fn roll_up(&self, dimensions: &[Dimension]) -> Result<Self, AnalyticsError> {
        let places: Vec<usize> = dimensions
            .iter()
            .map(|wanted| self.dimensions.iter().position(|own| own == wanted))
            .collect::<Option<_>>()
            .ok_or(AnalyticsError::Unlike { name: "their dimensions" })?;
        let mut rolled = Self::new(dimensions, self.limit)?;
        for (codes, measure) in &self.cells {
            let key = places.iter().filter_map(|place| codes.get(*place).cloned()).collect();
            rolled.cell_of(key)?.merge(measure)?;
        }
        Ok(rolled)
    }

    /// The canonical bytes: equal tallies give equal bytes. Cells that count nothing are left out,
    /// and so is the limit, which belongs to the host.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = alloc::vec![FORMAT, M::KIND | 0x80];
        write_unsigned(&mut bytes, self.dimensions.len() as u128);
        for dimension in &self.dimensions {
            write_text(&mut bytes, dimension.code());
        }
        let cells = || self.cells.iter().filter(|(_, measure)| !measure.is_empty());
        write_unsigned(&mut bytes, cells().count() as u128);
        for (codes, measure) in cells() {
            for code in codes {
                write_text(&mut bytes, code);
            }
            measure.write(&mut bytes);
        }
        bytes
    }

    /// Reads them back, with a limit on cells.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::Damaged`] for bytes that [`Tally::to_bytes`] never writes,
    /// [`AnalyticsError::TooMany`] for more cells than the limit.
    pub fn from_bytes(bytes: &[u8], limit: usize) -> Result<Self, AnalyticsError> {
        let mut reader = Reader::new(bytes);
        read_head(&mut reader, M::KIND | 0x80)?;
        let mut dimensions = Vec::new();
        for _ in 0..reader.count()? {
            let dimension = Dimension::from_code(reader.text(CODE_BYTES)?);
            dimensions.push(dimension.ok_or_else(|| reader.damaged("a dimension"))?);
        }
        let mut tally = Self::new(&dimensions, limit)?;
        let count = reader.count()?;
        if count > limit as u64 {
            return Err(AnalyticsError::TooMany { name: "cells", limit });
        }
        for _ in 0..count {
            let mut codes: Vec<SmolStr> = Vec::with_capacity(dimensions.len());
            for _ in &dimensions {
                codes.push(SmolStr::new(reader.text(CODE_BYTES)?));
            }
            let key = codes.into_boxed_slice();
            let last = tally.cells.last_key_value();
            if last.is_some_and(|(last, _)| *last >= key) {
                return Err(reader.damaged("ascending cells"));
            }
            let measure = M::read(&mut reader)?;
            if measure.is_empty() {
                return Err(reader.damaged("a cell that counts something"));
            }
            tally.cells.insert(key, measure);
        }
        reader.finish()?;
        Ok(tally)
    }
}

impl<M: TakeOut> Tally<M> {
    /// Takes out what another tally of the same dimensions has counted. On an error the tally must
    /// be thrown away.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::Unlike`] for other dimensions, [`AnalyticsError::NotCounted`].
    pub fn take_out(&mut self, part: &Self) -> Result<(), AnalyticsError> {
        if self.dimensions != part.dimensions {
            return Err(AnalyticsError::Unlike { name: "their dimensions" });
        }
        for (codes, measure) in &part.cells {
            let missing = AnalyticsError::NotCounted { name: "a cell" };
            let cell = self.cells.get_mut(codes).ok_or(missing)?;
            cell.take_out(measure)?;
            if cell.is_empty() {
                self.cells.remove(codes);
            }
        }
        Ok(())
    }
}

impl Tally<Desk> {
    /// Counts a sale.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::TooMany`] past the limit of cells, [`AnalyticsError::MixedCurrencies`].
    pub fn observe_sale(&mut self, row: &SaleRow) -> Result<(), AnalyticsError> {
        let cell = self.cell(&row.facets)?;
        let value = cell.minor(row.value)?;
        cell.sold_units.observe(i64::from(row.units))?;
        cell.sold_value.observe(value)
    }

    /// Counts a return.
    ///
    /// # Errors
    ///
    /// As [`Tally::observe_sale`], [`AnalyticsError::TooLarge`] for a duration past a hundred years,
    /// and [`AnalyticsError::OutOfRange`] for an answer that its question does not have. A row that is
    /// refused counts nowhere.
    pub fn observe_return(&mut self, row: &ReturnRow) -> Result<(), AnalyticsError> {
        row.check()?;
        let cell = self.cell(&row.facets)?;
        let value = cell.minor(row.value)?;
        if let Some(costs) = &row.costs {
            let (refund, freight) = (cell.minor(costs.refund)?, cell.minor(costs.freight)?);
            let depreciation = cell.minor(costs.depreciation)?;
            let (handling, recovered) = (cell.minor(costs.handling)?, cell.minor(costs.recovered)?);
            cell.refund.observe(refund)?;
            cell.freight.observe(freight)?;
            cell.depreciation.observe(depreciation)?;
            cell.handling.observe(handling)?;
            cell.recovered.observe(recovered)?;
        }
        cell.returned_units.observe(i64::from(row.units))?;
        cell.repeat_units.observe(i64::from(row.repeat_units))?;
        cell.returned_value.observe(value)?;
        if let Some(seconds) = row.handling_seconds {
            cell.handling_time.observe(seconds)?;
        }
        if let Some(seconds) = row.first_response_seconds {
            cell.first_response.observe(seconds)?;
        }
        if let Some(outcome) = row.goal_met {
            cell.goals.observe(outcome)?;
        }
        if let Some(outcome) = row.first_time_right {
            cell.first_time_right.observe(outcome)?;
        }
        if let Some(outcome) = row.repeat {
            cell.repeats.observe(outcome)?;
        }
        row.survey.map_or(Ok(()), |survey| survey.count_into(&mut cell.answers))
    }
}
