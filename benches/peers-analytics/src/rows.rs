//! Ten million return rows, the same in every run.

/// 24 months, 40 categories, 6 channels, 16 reasons.
pub const SIZES: [u32; 4] = [24, 40, 6, 16];

/// One row as ours receives it: dictionary-coded, side by side.
#[derive(Clone, Copy)]
pub struct Row {
    pub month: u8,
    pub category: u8,
    pub channel: u8,
    pub reason: u8,
    pub seconds: u32,
    pub cents: i64,
}

impl Row {
    pub fn codes(&self) -> [u32; 4] {
        [self.month.into(), self.category.into(), self.channel.into(), self.reason.into()]
    }
}

pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u32) -> u32 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u32
    }

    pub fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

pub fn rows(count: usize) -> Vec<Row> {
    let mut random = Random(8);
    (0..count)
        .map(|_| Row {
            month: random.below(SIZES[0]) as u8,
            category: random.below(SIZES[1]) as u8,
            channel: random.below(SIZES[2]) as u8,
            reason: random.below(SIZES[3]) as u8,
            seconds: handling(&mut random),
            cents: i64::from(random.below(40_000)) + 100,
        })
        .collect()
}

/// Roughly lognormal around two hours.
fn handling(random: &mut Random) -> u32 {
    let spread = random.uniform() + random.uniform() + random.uniform() - 1.5;
    (7200.0 * (spread * 2.0).exp()) as u32
}
