//! How long something takes, where other work shares the machine.

use std::time::{Duration, Instant};

/// Time on the processor, all threads together: on a machine shared with others the clock on the
/// wall measures the others. Falls back to the wall where the system does not tell.
fn processor() -> Option<Duration> {
    let mut total = 0_u64;
    for task in std::fs::read_dir("/proc/self/task").ok()? {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        total += text.split_whitespace().next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(total))
}

/// Below this the processor's account, which is kept by ticks of milliseconds, is too coarse.
const SHORT: Duration = Duration::from_millis(50);

/// The fastest of so many runs, and its result: by the processor's time, short runs by the wall.
pub fn best<T>(runs: usize, mut run: impl FnMut() -> T) -> (Duration, T) {
    let mut fastest: Option<(Duration, T)> = None;
    for _ in 0..runs {
        let (start, before) = (Instant::now(), processor());
        let result = run();
        let wall = start.elapsed();
        let busy = processor().zip(before).map_or(wall, |(after, before)| after - before);
        let took = if wall < SHORT { wall } else { busy };
        if fastest.as_ref().is_none_or(|(least, _)| took < *least) {
            fastest = Some((took, result));
        }
    }
    fastest.expect("at least one run")
}

pub fn line(name: &str, took: Duration, note: &str) {
    println!("  {name:<46} {:>9.2} ms   {note}", took.as_secs_f64() * 1e3);
}
