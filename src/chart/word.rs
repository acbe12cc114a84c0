//! The words that a chart brings along, beside the names that a host gives: of its series, limits,
//! axes and steps.

use super::{ChartData, ChartKind};
use crate::label::{Coded, Language, codes};

codes! {
    /// A word of a chart's own.
    pub enum Word "word of a chart" {
        /// How many.
        Count = "count", "count", "数量";
        /// The share of an item and all larger ones.
        CumulativeShare = "cumulative_share", "cumulative share", "累计占比";
        /// The interval of that share.
        ShareInterval = "share_interval", "interval of the share", "占比区间";
        /// A rate.
        Rate = "rate", "rate", "比率";
        /// Its interval.
        Interval = "interval", "interval", "区间";
        /// The mean of a control chart.
        Mean = "mean", "mean", "均值";
        /// A limit above.
        Upper = "upper_limit", "upper limit", "上限";
        /// A limit below.
        Lower = "lower_limit", "lower limit", "下限";
        /// Both.
        Limits = "limits", "limits", "界限";
        /// The rate that limits stand around.
        Target = "target", "target", "目标";
        /// Where a waterfall begins.
        Before = "before", "before", "之前";
        /// Where it ends.
        After = "after", "after", "之后";
        /// The part of a change that comes from what was sold.
        Mix = "mix", "mix", "结构";
        /// A rate at the beginning or the end.
        Total = "total", "total", "合计";
        /// A step up.
        Up = "up", "up", "上升";
        /// A step down.
        Down = "down", "down", "下降";
        /// A point inside the limits.
        Inside = "inside", "inside", "界限内";
        /// A point outside them.
        Outside = "outside", "outside", "超出界限";
        /// The unit of an axis of fractions.
        Share = "share", "share", "占比";
        /// The unit of an axis of amounts.
        MinorUnits = "minor_units", "minor units", "最小货币单位";
        /// The unit of an axis of hours.
        Hours = "hours", "h", "小时";
    }
}

impl ChartData {
    /// The same chart with its own words in a language. Titles, the names of categories, and texts
    /// of marks are the host's: they stay.
    ///
    /// ```
    /// use aftersale::analytics::pareto::{Kind, pareto};
    /// use aftersale::analytics::rate::Confidence;
    /// use aftersale::chart::pareto_chart;
    /// use aftersale::label::Language;
    /// let reasons = [("尺码不合", 48, Kind::Named), ("拉链坏", 12, Kind::Named)];
    /// let table = pareto(&reasons, 60, Confidence::NINETY_FIVE).ok_or("empty")?;
    /// let chart = pareto_chart("三月退货原因", &table, |reason| reason.to_string());
    /// let chart = chart.in_language(Language::Chinese);
    /// assert_eq!(chart.series[1].name, "累计占比");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn in_language(mut self, language: Language) -> Self {
        let from = core::mem::replace(&mut self.language, language);
        let bands = self.bands.iter_mut().map(|band| &mut band.name);
        let own = self.series.iter_mut().map(|series| &mut series.name).chain(bands);
        // A waterfall's own steps: the first, the mix, the last.
        let last = self.names.len().saturating_sub(1);
        let is_own = |at: usize| at == 0 || at.saturating_add(1) >= last;
        let steps = self.names.iter_mut().enumerate();
        let steps = steps.filter(|(at, _)| self.kind == ChartKind::Waterfall && is_own(*at));
        for name in own.chain(steps.map(|(_, name)| name)) {
            if let Some(word) = Word::ALL.iter().find(|word| word.label(from) == name.as_str()) {
                *name = word.label(language).into();
            }
        }
        self
    }

    /// A word in the chart's language.
    pub(super) fn word(&self, word: Word) -> &'static str {
        word.label(self.language)
    }
}
