//! Answers of customers: satisfaction, and how likely they are to recommend.

use alloc::vec::Vec;

use super::{Answers, mean_estimate};
use crate::analytics::AnalyticsError;
use crate::analytics::math;
use crate::analytics::rate::{Confidence, Estimate, Proportion};
use crate::analytics::state::{Measure, Reader, TakeOut, add, less, write_unsigned};

impl Answers {
    /// Counts one survey sent.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::TooLarge`].
    pub fn invite(&mut self) -> Result<(), AnalyticsError> {
        self.invited = add(self.invited, 1, "answers")?;
        Ok(())
    }

    /// Counts one satisfaction answer from 1 to 5.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::OutOfRange`] for another number, [`AnalyticsError::TooLarge`].
    pub fn satisfied(&mut self, answer: u8) -> Result<(), AnalyticsError> {
        let slot = usize::from(answer).checked_sub(1).and_then(|i| self.satisfaction.get_mut(i));
        let (name, value) = ("a satisfaction answer", f64::from(answer));
        let slot = slot.ok_or(AnalyticsError::OutOfRange { name, value, range: "1 to 5" })?;
        *slot = add(*slot, 1, "answers")?;
        Ok(())
    }

    /// Counts one recommendation answer from 0 to 10.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::OutOfRange`] for another number, [`AnalyticsError::TooLarge`].
    pub fn recommends(&mut self, answer: u8) -> Result<(), AnalyticsError> {
        let [detractors, passives, promoters] = &mut self.recommendation;
        let slot = match answer {
            0..=6 => detractors,
            7..=8 => passives,
            9..=10 => promoters,
            _ => {
                let (name, value) = ("a recommendation answer", f64::from(answer));
                return Err(AnalyticsError::OutOfRange { name, value, range: "0 to 10" });
            }
        };
        *slot = add(*slot, 1, "answers")?;
        Ok(())
    }

    /// The share of satisfaction answers 4 and 5 (CSAT, top-2 box) with Wilson's interval.
    #[must_use]
    pub fn csat(&self, confidence: Confidence) -> Option<Estimate> {
        let [one, two, three, four, five] = self.satisfaction;
        let top = four.saturating_add(five);
        let all = top.saturating_add(one).saturating_add(two).saturating_add(three);
        Proportion::new(top, all).ok()?.wilson(confidence)
    }

    /// The mean satisfaction answer with Student's interval; none below two answers.
    #[must_use]
    pub fn satisfaction_mean(&self, confidence: Confidence) -> Option<Estimate> {
        let (mut n, mut sum, mut squares) = (0_u64, 0.0, 0.0);
        for (position, count) in self.satisfaction.iter().enumerate() {
            let answer = position as f64 + 1.0;
            n = n.saturating_add(*count);
            sum += answer * *count as f64;
            squares += answer * answer * *count as f64;
        }
        if n < 2 {
            return None;
        }
        let mean = sum / n as f64;
        let variance = ((squares - n as f64 * mean * mean) / (n as f64 - 1.0)).max(0.0);
        Some(mean_estimate(mean, variance, n, confidence))
    }

    /// The net promoter score as a fraction from -1 to 1: promoters minus detractors.
    ///
    /// The interval is the adjusted Wald interval with 3/4, 1 1/2 and 3/4 answers added (B. Rocks,
    /// The American Statistician 70 (2016) 365); none below two answers.
    #[must_use]
    pub fn nps(&self, confidence: Confidence) -> Option<Estimate> {
        let [detractors, passives, promoters] = self.recommendation;
        let sample = detractors.saturating_add(passives).saturating_add(promoters);
        if sample < 2 {
            return None;
        }
        let value = (promoters as f64 - detractors as f64) / sample as f64;
        let n = sample as f64 + 3.0;
        let (d, p) = ((detractors as f64 + 0.75) / n, (promoters as f64 + 0.75) / n);
        let reach = confidence.z() * math::sqrt((p + d - math::square(p - d)) / n);
        let center = p - d;
        Some(Estimate {
            value,
            low: (center - reach).max(-1.0),
            high: (center + reach).min(1.0),
            sample,
        })
    }

    /// The share of surveys answered; answers beyond the invitations count as invited.
    #[must_use]
    pub fn response_rate(&self, confidence: Confidence) -> Option<Estimate> {
        let satisfaction = self.satisfaction.iter().fold(0_u64, |a, b| a.saturating_add(*b));
        let recommendation = self.recommendation.iter().fold(0_u64, |a, b| a.saturating_add(*b));
        let answered = satisfaction.max(recommendation);
        Proportion::new(answered, self.invited.max(answered)).ok()?.wilson(confidence)
    }

    fn slots(&self) -> impl Iterator<Item = u64> + '_ {
        core::iter::once(self.invited).chain(self.satisfaction).chain(self.recommendation)
    }

    fn slots_mut(&mut self) -> impl Iterator<Item = &mut u64> {
        core::iter::once(&mut self.invited)
            .chain(&mut self.satisfaction)
            .chain(&mut self.recommendation)
    }
}

impl Measure for Answers {
    const KIND: u8 = 5;

    fn merge(&mut self, other: &Self) -> Result<(), AnalyticsError> {
        for (mine, theirs) in self.slots_mut().zip(other.slots()) {
            *mine = add(*mine, theirs, "answers")?;
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.slots().all(|count| count == 0)
    }

    fn write(&self, to: &mut Vec<u8>) {
        for count in self.slots() {
            write_unsigned(to, u128::from(count));
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, AnalyticsError> {
        let mut answers = Self::default();
        for slot in answers.slots_mut() {
            *slot = from.count()?;
        }
        Ok(answers)
    }
}

impl TakeOut for Answers {
    fn take_out(&mut self, part: &Self) -> Result<(), AnalyticsError> {
        for (mine, theirs) in self.slots_mut().zip(part.slots()) {
            *mine = less(*mine, theirs, "an answer")?;
        }
        Ok(())
    }
}
