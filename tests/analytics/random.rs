//! Chance for simulations, the same everywhere: SplitMix64, and the distributions made from it.

pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub fn normal(&mut self) -> f64 {
        let (u, v) = (self.uniform().max(1e-300), self.uniform());
        (-2.0 * u.ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()
    }

    /// Marsaglia and Tsang.
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            return self.gamma(shape + 1.0) * self.uniform().max(1e-300).powf(1.0 / shape);
        }
        let (d, c) = (shape - 1.0 / 3.0, 1.0 / (9.0 * shape - 3.0).sqrt());
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && self.uniform().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }

    pub fn beta(&mut self, a: f64, b: f64) -> f64 {
        let (x, y) = (self.gamma(a), self.gamma(b));
        x / (x + y)
    }

    /// By inversion, walking up from zero.
    pub fn binomial(&mut self, n: u64, p: f64) -> u64 {
        let (mut x, mut u) = (0, self.uniform());
        let mut chance = (1.0 - p).powi(n as i32);
        while u > chance && x < n {
            u -= chance;
            chance *= (n - x) as f64 / (x + 1) as f64 * p / (1.0 - p);
            x += 1;
        }
        x
    }

    pub fn poisson(&mut self, mean: f64) -> u64 {
        let (mut x, mut u, mut chance) = (0, self.uniform(), (-mean).exp());
        while u > chance && x < 10_000 {
            u -= chance;
            x += 1;
            chance *= mean / x as f64;
        }
        x
    }
}
