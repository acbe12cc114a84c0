//! Clocks against a count minute by minute.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use aftersale::calendar::book::Calendars;
use aftersale::calendar::compiled::Calendar;
use aftersale::calendar::day_term::{DayCount, DayTerm, Roll};
use aftersale::calendar::hours::{BusinessHours, DateRange, WEEK};
use aftersale::condition::schema::{FactType, Schema};
use aftersale::condition::{Check, Condition};
use aftersale::explain::Fact;
use aftersale::id::{CalendarId, CaseId, FactName, GoalId, PauseReasonId, PolicyId, RuleId};
use aftersale::sla::account::AccountClass;
use aftersale::sla::book::SlaBook;
use aftersale::sla::evaluation::{ClockState, Evaluation, GoalEvaluation, TimerEvent, Verdict};
use aftersale::sla::history::{CaseEvent, CaseHistory, ClockCommand, Happening};
use aftersale::sla::ladder::{Measured, Offset, Repeat, Step, StepAt, StepId, StepKind};
use aftersale::sla::ledger::SlaLedger;
use aftersale::sla::policy::{
    ChangeMode, CountsFrom, Goal, Honors, MetricId, OnReopen, PauseRule, PolicyKind, SlaDraft,
    SlaPolicy, Starts, Target, TargetRule, Trigger, Turn,
};
use aftersale::sla::what_if::Scenario;
use aftersale::time::Instant;
use chrono::{DateTime, Days, NaiveDate};
use proptest::prelude::*;
use proptest::sample::Index;

const MINUTE: i64 = 60;

/// Where a case is handled, and the date (midnight UTC) on which it starts: a few days before a clock
/// change where there is one. The first has none.
const PLACES: [(&str, (i32, u32, u32)); 9] = [
    ("Europe/London", (2026, 3, 2)),
    ("Europe/London", (2026, 3, 27)),
    ("America/New_York", (2026, 10, 30)),
    ("Australia/Lord_Howe", (2026, 4, 3)),
    ("America/Sao_Paulo", (2018, 11, 1)),
    ("America/Sao_Paulo", (2018, 2, 15)),
    ("Asia/Kathmandu", (2026, 3, 2)),
    ("Pacific/Chatham", (2026, 9, 25)),
    ("Africa/Casablanca", (2026, 2, 13)),
];

thread_local! {
    /// The start of the present case in UTC seconds; every property has a thread of its own.
    static START: Cell<i64> = const { Cell::new(0) };
}

fn at(minute: i64) -> Instant {
    DateTime::from_timestamp(START.get() + minute * MINUTE, 0).unwrap()
}

/// A calendar of days and one of nights.
fn calendars_at(place: usize) -> Calendars {
    let (zone, (year, month, day)) = PLACES[place];
    let start = NaiveDate::from_ymd_opt(year, month, day).unwrap();
    START.set(start.and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp());
    let id = |text: &str| CalendarId::new(text).unwrap();
    let five = || WEEK.into_iter().take(5);
    let windows =
        |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
    let range = DateRange { first: start - Days::new(20), last: start + Days::new(120) };
    let mut calendars = Calendars::new();
    let days = BusinessHours::new(id("days"), zone.parse().unwrap())
        .with_weekly(five(), &windows(&["09:00-12:00", "13:00-18:00"]));
    calendars.insert(days.compile(range).unwrap());
    let nights = BusinessHours::new(id("nights"), zone.parse().unwrap())
        .with_weekly(WEEK, &windows(&["22:00-06:00"]));
    calendars.insert(nights.compile(range).unwrap());
    calendars
}

fn calendars() -> Calendars {
    calendars_at(0)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Stop,
    Cancel,
    Pause(usize),
    Resume(usize),
    Priority(usize),
    Reset,
    Reopen,
    Start,
    /// The status becomes one of [`STATUSES`].
    Status(usize),
}

const REASONS: [&str; 3] = ["customer", "parts", "lunch"];

/// The statuses that start, reopen, stop and call off a clock, and one that does nothing.
const STATUSES: [&str; 5] = ["new", "open", "solved", "void", "busy"];
const NEW: usize = 0;
const OPEN: usize = 1;
const SOLVED: usize = 2;
const VOID: usize = 3;

/// Minutes at which much happens: any, full hours, midnights, and marks of the first target in London.
fn busy_minute() -> impl Strategy<Value = i64> {
    prop_oneof![
        2 => 0_i64..6_000,
        2 => (0_i64..100).prop_map(|hour| hour * 60),
        1 => (0_i64..5).prop_map(|day| day * 1_440),
        1 => prop_oneof![Just(590_i64), Just(640), Just(641)],
    ]
}

/// What happens to a case: half of it at a few instants, where stops, changes and reopenings meet, and
/// a few short breaks.
fn acts() -> impl Strategy<Value = Vec<(i64, Act)>> {
    let act = prop_oneof![
        4 => Just(Act::Stop),
        1 => Just(Act::Cancel),
        6 => (0_usize..3).prop_map(Act::Pause),
        6 => (0_usize..3).prop_map(Act::Resume),
        1 => Just(Act::Reset),
        4 => Just(Act::Reopen),
        4 => Just(Act::Start),
        9 => (0_usize..5).prop_map(Act::Status),
    ];
    let minute = (0_i64..6_000, proptest::option::of(0_usize..3));
    let pool = proptest::collection::vec(busy_minute(), 3);
    let breaks = proptest::collection::vec((0_i64..6_000, 1_i64..90), 0..5);
    let acts = proptest::collection::vec((minute, act), 0..14);
    // Several statuses at one instant.
    let passed = proptest::option::of((0_usize..3, proptest::collection::vec(0_usize..5, 2..4)));
    (pool, acts, breaks, passed).prop_map(|(pool, acts, breaks, passed)| {
        let mut acts: Vec<(i64, Act)> = acts
            .into_iter()
            .map(|((minute, busy), act)| (busy.map_or(minute, |busy| pool[busy]), act))
            .collect();
        let ends =
            |(from, length): (i64, i64)| [(from, Act::Pause(1)), (from + length, Act::Resume(1))];
        acts.extend(breaks.into_iter().flat_map(ends));
        if let Some((busy, statuses)) = passed {
            acts.extend(statuses.into_iter().map(|status| (pool[busy], Act::Status(status))));
        }
        acts.push((0, Act::Start));
        acts
    })
}

/// The policy is attached at the start, or later.
fn attachment() -> impl Strategy<Value = (i64, CountsFrom)> {
    let late = (busy_minute(), any::<bool>());
    prop_oneof![2 => Just((0, false)), 3 => late].prop_map(|(minute, is_own)| {
        (minute, if is_own { CountsFrom::Attachment } else { CountsFrom::CaseStart })
    })
}

fn modes() -> impl Strategy<Value = ChangeMode> {
    prop_oneof![
        Just(ChangeMode::Retroactive),
        Just(ChangeMode::Prospective),
        Just(ChangeMode::Restart),
        Just(ChangeMode::Keep),
        Just(ChangeMode::Scale),
    ]
}

/// A version of the policy is attached, one of three; one of them has the goal no longer; or the policy
/// is detached.
fn turn() -> impl Strategy<Value = Happening> {
    let policy = || PolicyId::new("p").unwrap();
    let attached = (1_u32..4, proptest::option::of(modes()))
        .prop_map(move |(version, mode)| Happening::Attached { policy: policy(), version, mode });
    prop_oneof![3 => attached, 1 => Just(Happening::Detached { policy: policy() })]
}

/// A second version with its ladder turned round and another step before it, and a third without the
/// goal.
fn book_of_versions(
    counts_from: CountsFrom,
    rules: (usize, ChangeMode, Starts, OnReopen),
) -> SlaBook {
    let mut draft = book_from(counts_from, rules).draft().clone();
    let mut second = draft.policies[0].clone();
    second.version = 2;
    let goal = &mut second.goals[0];
    goal.targets.iter_mut().rev().zip([3, 2, 1, 0]).for_each(|(rule, level)| {
        rule.target = target(level);
    });
    goal.ladder.reverse();
    let first = Step { id: StepId::new("first").unwrap(), ..goal.ladder[1].clone() };
    goal.ladder.insert(0, Step { at: StepAt::PercentUsed(25), repeat: None, ..first });
    let mut third = second.clone();
    third.version = 3;
    third.goals[0].id = GoalId::new("other").unwrap();
    draft.policies.extend([second, third]);
    SlaBook::verify(draft, &schema()).unwrap()
}

fn history(acts: &[(i64, Act)]) -> CaseHistory {
    history_from(0, acts)
}

/// A case to which the policy is attached at a minute.
fn history_from(attached: i64, acts: &[(i64, Act)]) -> CaseHistory {
    let goal = || GoalId::new("goal").unwrap();
    let moved = |command| Happening::Moved { goal: goal(), command };
    let reason = |number: usize| PauseReasonId::new(REASONS[number]).unwrap();
    let mut events = vec![CaseEvent {
        at: at(attached),
        what: Happening::Attached { policy: PolicyId::new("p").unwrap(), version: 1, mode: None },
    }];
    events.extend(acts.iter().map(|(minute, act)| {
        let what = match act {
            Act::Stop => moved(ClockCommand::Stop),
            Act::Cancel => moved(ClockCommand::Cancel),
            Act::Reset => moved(ClockCommand::Reset),
            Act::Reopen => moved(ClockCommand::Reopen),
            Act::Start => moved(ClockCommand::Start),
            Act::Pause(number) => Happening::Paused { reason: reason(*number) },
            Act::Resume(number) => Happening::Resumed { reason: reason(*number) },
            Act::Priority(level) => {
                let name = FactName::new("priority").unwrap();
                Happening::set(name, Fact::Count(*level as i64))
            }
            Act::Status(number) => {
                let name = FactName::new("status").unwrap();
                Happening::set(name, Fact::code(STATUSES[*number]))
            }
        };
        CaseEvent { at: at(*minute), what }
    }));
    CaseHistory::new(CaseId::new("case").unwrap(), events).unwrap()
}

/// Targets by priority: 100 minutes of days, 400 of nights, 1,000 of days; without one also 2,000 on the
/// wall, two civil days that end with a working day, and three working days.
fn target(level: usize) -> Target {
    let calendar = |name: &str| CalendarId::new(name).unwrap();
    let term = |days, count, roll| DayTerm { days, count, roll };
    match level {
        0 => Target::Business { seconds: 100 * MINUTE, calendar: calendar("days") },
        1 => Target::Business { seconds: 400 * MINUTE, calendar: calendar("nights") },
        2 => Target::Business { seconds: 1_000 * MINUTE, calendar: calendar("days") },
        3 => Target::Calendar { seconds: 2_000 * MINUTE },
        4 => Target::Days {
            term: term(2, DayCount::Civil, Roll::NextWorkingDay),
            calendar: calendar("days"),
        },
        _ => Target::Days {
            term: term(3, DayCount::Working, Roll::Stay),
            calendar: calendar("days"),
        },
    }
}

fn book(first: usize, mode: ChangeMode, starts: Starts, on_reopen: OnReopen) -> SlaBook {
    book_from(CountsFrom::CaseStart, (first, mode, starts, on_reopen))
}

fn book_from(
    counts_from: CountsFrom,
    (first, mode, starts, on_reopen): (usize, ChangeMode, Starts, OnReopen),
) -> SlaBook {
    let (priority, status) = (FactName::new("priority").unwrap(), FactName::new("status").unwrap());
    let on = |number: usize| {
        Trigger::on(Condition::test(status.clone(), Check::Is(Fact::code(STATUSES[number]))))
    };
    let step = |id: &str, at: StepAt| Step {
        id: StepId::new(id).unwrap(),
        at,
        kind: StepKind::Warning,
        to: None,
        repeat: None,
        quiet_outside: None,
    };
    let by_goal = |seconds| Offset { seconds, measured: Measured::ByTheGoal };
    let on_wall = |seconds| Offset { seconds, measured: Measured::OnTheWall };
    let mut targets: Vec<TargetRule> = (0..3_usize)
        .map(|level| TargetRule {
            id: RuleId::new(format!("level_{level}")).unwrap(),
            when: Condition::test(priority.clone(), Check::Is(Fact::Count(level as i64))),
            target: target(level),
        })
        .collect();
    targets.push(TargetRule {
        id: RuleId::new("otherwise").unwrap(),
        when: Condition::Always,
        target: target(first),
    });
    let goal = Goal {
        id: GoalId::new("goal").unwrap(),
        metric: MetricId::new("handling").unwrap(),
        start: on(NEW),
        stop: on(SOLVED),
        cancel: Some(on(VOID)),
        reset: None,
        reopen: Some(on(OPEN)),
        honors: Honors::Only(
            [PauseReasonId::new("customer").unwrap(), PauseReasonId::new("parts").unwrap()].into(),
        ),
        targets,
        counts_from,
        starts,
        on_reopen,
        on_change: mode,
        ladder: vec![
            step("half", StepAt::PercentUsed(50)),
            Step {
                repeat: Some(Repeat { every_seconds: 1_800, times: 3 }),
                ..step("nag", StepAt::PercentUsed(60))
            },
            step("hour_left", StepAt::BeforeDue(by_goal(3_600))),
            step("day_before", StepAt::BeforeDue(on_wall(86_400))),
            Step {
                repeat: Some(Repeat { every_seconds: 1_800, times: 3 }),
                ..step("late", StepAt::AfterDue(by_goal(600)))
            },
            Step {
                quiet_outside: Some(CalendarId::new("days").unwrap()),
                ..step("day_late", StepAt::AfterDue(on_wall(86_400)))
            },
        ],
    };
    let turn = |reason: &str| if reason == "customer" { Turn::Customer } else { Turn::Internal };
    let draft = SlaDraft {
        pauses: REASONS
            .iter()
            .map(|reason| PauseRule {
                id: PauseReasonId::new(reason).unwrap(),
                turn: turn(reason),
                held_while: None,
            })
            .collect(),
        policies: vec![SlaPolicy {
            id: PolicyId::new("p").unwrap(),
            version: 1,
            kind: PolicyKind::Internal,
            source: None,
            applies: Condition::Always,
            goals: vec![goal],
        }],
    };
    SlaBook::verify(draft, &schema()).unwrap()
}

fn schema() -> Schema {
    let name = |text: &str| FactName::new(text).unwrap();
    Schema::new()
        .with_optional(name("priority"), FactType::Count)
        .with_optional(name("status"), FactType::Code(Default::default()))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Waiting,
    Active,
    Stopped,
    Cancelled,
}

/// One clock, moved on minute by minute.
#[derive(Clone)]
struct Model<'a> {
    calendars: &'a Calendars,
    /// When the policy is attached; before, nothing fires.
    attached: i64,
    counts_from: CountsFrom,
    is_attached: bool,
    change: ChangeMode,
    starts: Starts,
    on_reopen: OnReopen,
    mode: Mode,
    held: BTreeSet<usize>,
    status: Option<usize>,
    /// The target that holds now, and the one the clock runs by.
    wanted: usize,
    level: usize,
    /// For a target in days: the first, and whether the clock ran all through the present one.
    first_day: Option<NaiveDate>,
    is_whole: bool,
    /// Minutes in which the clock ran, open or not, since the start of the cycle.
    ran: Vec<i64>,
    /// Seconds.
    used: i64,
    /// Seconds from the start.
    due: Option<i64>,
    verdict: Verdict,
    /// Breaches and warnings at half, with the minute.
    halves: Vec<i64>,
    breaches: Vec<i64>,
    half_done: bool,
    breach_done: bool,
}

impl Model<'_> {
    fn calendar(&self) -> Option<&Calendar> {
        target(self.level).calendar().map(|calendar| self.calendars.find(calendar).unwrap())
    }

    fn is_open(&self, minute: i64) -> bool {
        self.calendar().is_none_or(|calendar| calendar.is_open(at(minute)).unwrap().value)
    }

    fn promised(&self) -> i64 {
        target(self.level).amount().value()
    }

    fn is_running(&self) -> bool {
        self.mode == Mode::Active && self.held.is_empty()
    }

    fn is_late(&self, minute: i64) -> bool {
        self.due.is_some_and(|due| due < minute * MINUTE)
    }

    fn begin(&mut self, minute: i64) {
        self.mode = Mode::Active;
        self.level = self.wanted;
        self.first_day = self.calendar().map(|calendar| calendar.date(at(minute)).unwrap());
        self.ran.clear();
        self.used = 0;
        self.due = None;
        self.half_done = false;
        self.breach_done = false;
        self.verdict = Verdict::Pending;
    }

    fn stop(&mut self, minute: i64) {
        self.breach(minute);
        self.mode = Mode::Stopped;
        self.verdict = if self.is_late(minute) { Verdict::Breached } else { Verdict::Met };
    }

    /// A running clock whose deadline is past.
    fn breach(&mut self, minute: i64) {
        let is_told = self.is_attached && self.mode == Mode::Active;
        if self.is_late(minute) && is_told && !self.breach_done {
            self.breach_done = true;
            self.breaches.push(self.due.unwrap() / MINUTE);
        }
    }

    /// The timers of a minute: marks reached, breaches known a second after the deadline.
    fn timers(&mut self, minute: i64) {
        if self.mode != Mode::Active {
            return;
        }
        if self.used * 2 >= self.promised() && !self.half_done && self.is_attached {
            self.half_done = true;
            self.halves.push(minute);
        }
        if self.used >= self.promised() && self.due.is_none() {
            self.due = Some(minute * MINUTE);
        }
    }

    fn step(&mut self, minute: i64, acts: &[Act]) {
        // What was reached by the passing of the last minute, before anything else of this minute,
        // is known to a stop and to a pause.
        self.breach(minute);
        let has = |act: Act| acts.contains(&act);
        // How often each status was entered.
        let mut entered = [0; STATUSES.len()];
        for act in acts {
            if let Act::Status(status) = *act {
                entered[status] += usize::from(self.status != Some(status));
                self.status = Some(status);
            }
        }
        let mut stops = acts.iter().filter(|act| **act == Act::Stop).count() + entered[SOLVED];
        // A status passed on the way to the end of a running clock neither reopens nor starts it.
        let is_passed = self.mode == Mode::Active && stops > 0 && self.status == Some(SOLVED);
        let reopens = has(Act::Reopen) || (entered[OPEN] > 0 && !is_passed);
        let starts = has(Act::Start) || (entered[NEW] > 0 && !is_passed);
        if stops > 0 && self.mode == Mode::Active {
            stops -= 1;
            self.stop(minute);
        }
        let cancels = has(Act::Cancel) || entered[VOID] > 0;
        if cancels && matches!(self.mode, Mode::Active | Mode::Waiting) {
            let is_late = self.mode == Mode::Active && self.is_late(minute);
            self.verdict = if is_late { Verdict::Breached } else { Verdict::Pending };
            self.mode = Mode::Cancelled;
        }
        let before = self.held.is_empty();
        for act in acts {
            match act {
                Act::Pause(number) if *number < 2 => {
                    self.held.insert(*number);
                }
                Act::Resume(number) => {
                    self.held.remove(number);
                }
                Act::Priority(level) => self.wanted = *level,
                _ => {}
            }
        }
        if before && !self.held.is_empty() {
            self.timers(minute);
        }
        if self.mode == Mode::Active {
            self.retarget(minute);
        }
        if has(Act::Reset) && self.mode == Mode::Active {
            // Another target may have made it late just now.
            self.breach(minute);
            self.begin(minute);
        }
        if reopens && self.mode == Mode::Stopped {
            match self.on_reopen {
                OnReopen::Continue => {
                    self.mode = Mode::Active;
                    self.verdict = Verdict::Pending;
                    // It was judged by the target of its stop, and goes on by the one that holds.
                    self.retarget(minute);
                }
                OnReopen::NewCycle => self.begin(minute),
            }
        }
        if starts {
            let again = self.starts == Starts::EveryTime;
            match self.mode {
                Mode::Waiting => self.begin(minute),
                Mode::Stopped | Mode::Cancelled if again => self.begin(minute),
                _ => {}
            }
        }
        if stops > 0 && (starts || reopens) && self.mode == Mode::Active {
            self.stop(minute);
        }
        if minute == self.attached {
            self.attach(minute);
        }
        self.timers(minute);
        // What is late already when it is reopened or attached is told at once.
        self.breach(minute);
    }

    /// The policy is there from now on.
    fn attach(&mut self, minute: i64) {
        self.is_attached = true;
        if self.counts_from == CountsFrom::Attachment {
            self.ran.clear();
            self.used = 0;
            self.due = None;
            self.first_day = self.calendar().map(|calendar| calendar.date(at(minute)).unwrap());
            self.verdict = Verdict::Pending;
        }
    }

    /// Lets a minute pass.
    fn pass(&mut self, minute: i64) {
        if self.is_running() {
            self.ran.push(minute);
        }
        if let Target::Days { term, .. } = target(self.level) {
            self.pass_in_days(minute, term);
            return;
        }
        if !self.is_running() || !self.is_open(minute) {
            return;
        }
        let left = self.promised() - self.used;
        if self.due.is_none() && left <= MINUTE {
            self.due = Some(minute * MINUTE + left);
        }
        self.used += MINUTE;
    }

    /// A day counts when it ends, when it is not the first, and when the clock ran all through it.
    fn pass_in_days(&mut self, minute: i64, term: DayTerm) {
        self.is_whole &= self.is_running();
        let calendar = self.calendars.find(&CalendarId::new("days").unwrap()).unwrap();
        let date = |minute: i64| calendar.date(at(minute)).unwrap();
        let today = date(minute);
        if date(minute + 1) == today {
            return;
        }
        let is_whole = std::mem::replace(&mut self.is_whole, true);
        let counts = term.count == DayCount::Civil || calendar.is_working_day(today).unwrap();
        if !is_whole || !counts || self.first_day == Some(today) {
            return;
        }
        self.used += 1;
        if self.used < self.promised() || self.due.is_some() {
            return;
        }
        let mut last = today;
        while term.roll == Roll::NextWorkingDay && !calendar.is_working_day(last).unwrap() {
            last = last + Days::new(1);
        }
        let end = (minute + 1..).find(|minute| date(*minute) > last).unwrap();
        self.due = Some(end * MINUTE);
    }

    /// Goes on by the target that is wanted.
    fn retarget(&mut self, minute: i64) {
        // Before the policy is there, only the target that holds at last matters.
        let change = if self.is_attached { self.change } else { ChangeMode::Retroactive };
        if change == ChangeMode::Keep || self.wanted == self.level {
            return;
        }
        let old = self.promised();
        self.level = self.wanted;
        self.due = None;
        self.breach_done = false;
        match change {
            ChangeMode::Restart => self.used = 0,
            ChangeMode::Prospective | ChangeMode::Keep => {}
            ChangeMode::Scale => {
                self.used = self.used * self.promised() / old;
            }
            ChangeMode::Retroactive => {
                let open: Vec<i64> =
                    self.ran.iter().copied().filter(|minute| self.is_open(*minute)).collect();
                self.used = open.len() as i64 * MINUTE;
                if self.used >= self.promised() {
                    let last = usize::try_from(self.promised() / MINUTE - 1).unwrap();
                    self.due = Some((open[last] + 1) * MINUTE);
                }
            }
        }
        if self.used >= self.promised() && self.due.is_none() {
            self.due = Some(minute * MINUTE);
        }
    }
}

fn model<'a>(
    calendars: &'a Calendars,
    acts: &[(i64, Act)],
    book: (usize, ChangeMode, Starts, OnReopen),
    (attached, counts_from): (i64, CountsFrom),
    now: i64,
) -> Model<'a> {
    let (level, change, starts, on_reopen) = book;
    let mut model = Model {
        calendars,
        attached,
        counts_from,
        is_attached: false,
        change,
        starts,
        on_reopen,
        mode: Mode::Waiting,
        held: BTreeSet::new(),
        status: None,
        wanted: level,
        level,
        first_day: None,
        is_whole: true,
        ran: Vec::new(),
        used: 0,
        due: None,
        verdict: Verdict::Pending,
        halves: Vec::new(),
        breaches: Vec::new(),
        half_done: false,
        breach_done: false,
    };
    for minute in 0..=now {
        let own: Vec<Act> = acts.iter().filter(|(m, _)| *m == minute).map(|(_, a)| *a).collect();
        model.step(minute, &own);
        // The minute that begins now has not passed.
        if minute < now {
            model.pass(minute);
        }
    }
    model
}

fn goal(evaluation: &Evaluation) -> &GoalEvaluation {
    &evaluation.goals[0]
}

fn second_of(instant: Instant) -> i64 {
    instant.timestamp() - START.get()
}

fn minute_of(instant: Instant) -> i64 {
    second_of(instant) / MINUTE
}

fn times(events: &[TimerEvent], step: &str) -> Vec<i64> {
    let own = events.iter().filter(|event| event.id.step.as_str() == step);
    own.map(|event| minute_of(event.reached)).collect()
}

fn starts() -> impl Strategy<Value = (Starts, OnReopen)> {
    (any::<bool>(), any::<bool>()).prop_map(|(a, b)| {
        let starts = if a { Starts::Once } else { Starts::EveryTime };
        (starts, if b { OnReopen::Continue } else { OnReopen::NewCycle })
    })
}

fn compare(model: &Model<'_>, found: &GoalEvaluation, now: i64) -> Result<(), TestCaseError> {
    let state = match model.mode {
        Mode::Waiting => ClockState::Waiting,
        Mode::Active if model.held.is_empty() => ClockState::Running,
        Mode::Active => ClockState::Paused,
        Mode::Stopped => ClockState::Stopped,
        Mode::Cancelled => ClockState::Cancelled,
    };
    prop_assert_eq!(found.state, state);
    if model.mode == Mode::Active {
        prop_assert_eq!(found.elapsed.unwrap().value(), model.used);
        let breached = model.due.is_some_and(|due| due < now * MINUTE);
        prop_assert_eq!(found.verdict == Verdict::Breached, breached);
        if let Some(due) = model.due {
            prop_assert_eq!(found.due.map(second_of), Some(due));
        } else if model.held.is_empty() {
            // Foreseen: walk on while nothing happens.
            let (mut ahead, mut minute) = (model.clone(), now);
            while ahead.due.is_none() {
                ahead.pass(minute);
                minute += 1;
            }
            prop_assert_eq!(found.due.map(second_of), ahead.due);
        } else {
            prop_assert_eq!(found.due, None, "no date is invented while paused");
        }
    } else {
        prop_assert_eq!(found.verdict, model.verdict);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(384))]

    /// SLA-1: what is used, the deadline, the verdict, the warning at half and every breach are those
    /// of a clock moved on minute by minute, in business time, on the wall and in days, through any
    /// order of starts, stops, pauses, resets and reopenings, asked by people or by the status of the
    /// case, also several at one instant, and also when the policy is attached at any time later.
    #[test]
    fn clocks_agree_with_a_walk_through_the_minutes(
        acts in acts(),
        now in 0_i64..7_000,
        level in 0_usize..6,
        place in 0..PLACES.len(),
        (starts, on_reopen) in starts(),
        attachment in attachment(),
    ) {
        let calendars = calendars_at(place);
        let rules = (level, ChangeMode::Retroactive, starts, on_reopen);
        let book = book_from(attachment.1, rules);
        let found = book.evaluate(&calendars, &history_from(attachment.0, &acts), at(now));
        let model = model(&calendars, &acts, rules, attachment, now);
        if now < attachment.0 {
            prop_assert!(found.goals.is_empty() && found.events.is_empty());
            return Ok(());
        }
        compare(&model, goal(&found), now)?;
        prop_assert_eq!(times(&found.events, "half"), model.halves);
        prop_assert_eq!(times(&found.events, "breach"), model.breaches);
    }

    /// SLA-2: after changes of target, measured again, from now on, restarted, kept or scaled, what
    /// is used and the deadline are those of the minute walk, also when the target changed while the
    /// clock was stopped or at the instant of a stop, or before the policy was attached.
    #[test]
    fn changes_of_target_agree_with_the_walk(
        acts in acts(),
        changes in proptest::collection::vec(
            (1_i64..6_000, proptest::option::of(any::<Index>()), 0_usize..3), 1..5,
        ),
        now in 0_i64..7_000,
        mode in modes(),
        place in 0..PLACES.len(),
        (starts, on_reopen) in starts(),
        attachment in attachment(),
    ) {
        // Half of the changes come at an instant at which something else happens. Of two changes in
        // one minute the last one counts.
        let changes: BTreeMap<i64, usize> = changes
            .into_iter()
            .map(|(minute, other, level)| (other.map_or(minute, |other| other.get(&acts).0), level))
            .collect();
        let mut acts = acts.clone();
        acts.extend(changes.iter().map(|(minute, level)| (*minute, Act::Priority(*level))));
        let calendars = calendars_at(place);
        let book = book_from(attachment.1, (0, mode, starts, on_reopen));
        let found = book.evaluate(&calendars, &history_from(attachment.0, &acts), at(now));
        let model = model(&calendars, &acts, (0, mode, starts, on_reopen), attachment, now);
        if now < attachment.0 {
            prop_assert!(found.goals.is_empty() && found.events.is_empty());
            return Ok(());
        }
        compare(&model, goal(&found), now)?;
        prop_assert_eq!(times(&found.events, "breach"), model.breaches);
    }

    /// SLA-3: the timer events are the same whether the host looks once at the end or at any other
    /// times before; a second look adds nothing.
    #[test]
    fn ticks_may_come_at_any_time(
        acts in acts(),
        ticks in proptest::collection::btree_set(0_i64..7_000, 0..12),
        level in 0_usize..6,
        place in 0..PLACES.len(),
        (starts, on_reopen) in starts(),
    ) {
        let calendars = calendars_at(place);
        let book = book(level, ChangeMode::Retroactive, starts, on_reopen);
        let history = history(&acts);
        let mut ledger = SlaLedger::default();
        let mut emitted = Vec::new();
        for tick in ticks.iter().copied().chain([7_000]) {
            let evaluation = book.evaluate(&calendars, &history, at(tick));
            let absorbed = ledger.absorb(&evaluation);
            prop_assert!(absorbed.outdated.is_empty());
            prop_assert!(absorbed.new.iter().all(|event| event.at <= at(tick)));
            emitted.extend(absorbed.new);
            prop_assert!(ledger.absorb(&evaluation).new.is_empty());
        }
        let once = book.evaluate(&calendars, &history, at(7_000)).events;
        prop_assert_eq!(&emitted, &once);
        let names: BTreeSet<_> = once.iter().map(|event| &event.id).collect();
        prop_assert_eq!(names.len(), once.len(), "two events share a name");
    }

    /// SLA-35: whatever happens to a policy and its targets, timer events are the same at any ticks, no
    /// two share a name, nothing fires before the next wakeup and something at it, each goal has one
    /// evaluation, and a scenario does not differ from itself.
    #[test]
    fn policies_may_come_and_go(
        acts in acts(),
        changes in proptest::collection::vec((busy_minute(), 0_usize..3), 0..4),
        turns in proptest::collection::vec((busy_minute(), turn()), 1..6),
        ticks in proptest::collection::btree_set(0_i64..7_000, 0..4),
        now in 0_i64..6_000,
        mode in modes(),
        attachment in attachment(),
        place in 0..PLACES.len(),
        (starts, on_reopen) in starts(),
    ) {
        let calendars = calendars_at(place);
        let book = book_of_versions(attachment.1, (0, mode, starts, on_reopen));
        let mut acts = acts.clone();
        acts.extend(changes.iter().map(|(minute, level)| (*minute, Act::Priority(*level))));
        let mut events = history_from(attachment.0, &acts).events().to_vec();
        events.extend(turns.iter().map(|(minute, turn)| CaseEvent { at: at(*minute), what: turn.clone() }));
        let history = |until: i64| {
            let known = events.iter().filter(|event| event.at <= at(until)).cloned().collect();
            CaseHistory::new(CaseId::new("case").unwrap(), known).unwrap()
        };
        let whole = history(7_000);
        let once = book.evaluate(&calendars, &whole, at(7_000));
        let names: BTreeSet<_> = once.events.iter().map(|event| &event.id).collect();
        prop_assert_eq!(names.len(), once.events.len(), "two events share a name");
        let goals: BTreeSet<_> = once.goals.iter().map(|goal| (&goal.policy, &goal.goal)).collect();
        prop_assert_eq!(goals.len(), once.goals.len());
        let mut ledger = SlaLedger::default();
        let mut emitted = Vec::new();
        for tick in ticks.iter().copied().chain([7_000]) {
            let absorbed = ledger.absorb(&book.evaluate(&calendars, &whole, at(tick)));
            prop_assert!(absorbed.outdated.is_empty());
            emitted.extend(absorbed.new);
        }
        prop_assert_eq!(&emitted, &once.events);
        // What is known at a moment tells when to look again.
        let known = history(now);
        let scenario = Scenario { book: &book, calendars: &calendars, history: &known };
        prop_assert!(scenario.compare(&scenario, at(now)).is_empty());
        let count = |second: i64| {
            let instant = DateTime::from_timestamp(second, 0).unwrap();
            book.evaluate(&calendars, &known, instant).events.len()
        };
        let found = book.evaluate(&calendars, &known, at(now));
        match found.next_wakeup {
            Some(wakeup) => {
                prop_assert!(wakeup > at(now));
                prop_assert_eq!(count(wakeup.timestamp() - 1), found.events.len());
                prop_assert!(count(wakeup.timestamp()) > found.events.len());
            }
            None => prop_assert_eq!(count(at(now + 60_000).timestamp()), found.events.len()),
        }
    }

    /// SLA-4: nothing fires before the next wakeup, and something fires at it.
    #[test]
    fn the_next_wakeup_is_exact(
        acts in acts(), now in 0_i64..6_000, level in 0_usize..6, place in 0..PLACES.len(),
    ) {
        let calendars = calendars_at(place);
        let book = book(level, ChangeMode::Retroactive, Starts::Once, OnReopen::Continue);
        let acts: Vec<_> = acts.into_iter().filter(|(minute, _)| *minute <= now).collect();
        let history = history(&acts);
        let count = |second: i64| {
            let instant = DateTime::from_timestamp(second, 0).unwrap();
            book.evaluate(&calendars, &history, instant).events.len()
        };
        let found = book.evaluate(&calendars, &history, at(now));
        let before = found.events.len();
        match found.next_wakeup {
            Some(wakeup) => {
                prop_assert!(wakeup > at(now));
                prop_assert_eq!(count(wakeup.timestamp() - 1), before);
                prop_assert!(count(wakeup.timestamp()) > before);
            }
            None => prop_assert_eq!(count(at(now + 60_000).timestamp()), before),
        }
    }

    /// SLA-5: a pause of no length and a pause wholly in closed hours change nothing; doubled pauses
    /// and resumptions change nothing.
    #[test]
    fn pauses_that_pause_nothing_change_nothing(
        acts in acts(), now in 5_000_i64..7_000, minute in 0_i64..5_000, night in 0_i64..3,
    ) {
        let calendars = calendars();
        let book = book(2, ChangeMode::Retroactive, Starts::Once, OnReopen::Continue);
        let base: Vec<_> = acts
            .into_iter()
            .filter(|(_, act)| !matches!(act, Act::Pause(1) | Act::Resume(1)))
            .collect();
        let evaluate = |acts: &[(i64, Act)]| book.evaluate(&calendars, &history(acts), at(now));
        let plain = evaluate(&base);
        let with = |more: &[(i64, Act)]| evaluate(&[base.clone(), more.to_vec()].concat());
        prop_assert_eq!(&with(&[(minute, Act::Pause(1)), (minute, Act::Resume(1))]), &plain);
        // London is closed from 18:00 to 09:00. The foreseen mark on the wall may not move either.
        let evening = night * 1_440 + 18 * 60 + 5;
        let asleep = with(&[(evening, Act::Pause(1)), (evening + 600, Act::Resume(1))]);
        let key = |e: &Evaluation| {
            let goal = goal(e).clone();
            // A stop within the pause knows no deadline that was not reached.
            let due = goal.due.filter(|_| goal.state.is_active());
            let past: Vec<_> = goal.past.iter().map(|p| (p.elapsed, p.verdict, p.ended_at)).collect();
            (goal.state, goal.elapsed, due, goal.verdict, past)
        };
        prop_assert_eq!(key(&asleep), key(&plain));
        let doubled: Vec<_> = base.iter().flat_map(|act| {
            let again = matches!(act.1, Act::Pause(_) | Act::Resume(_));
            std::iter::repeat_n(*act, if again { 2 } else { 1 })
        }).collect();
        prop_assert_eq!(&evaluate(&doubled), &plain);
    }

    /// SLA-6: an account of the time is made of touching parts that sum to the wall span, and what it
    /// calls counted is what is used.
    #[test]
    fn accounts_sum_to_the_wall_span(
        acts in acts(), now in 0_i64..7_000, level in 0_usize..4, place in 0..PLACES.len(),
    ) {
        let calendars = calendars_at(place);
        let book = book(level, ChangeMode::Retroactive, Starts::EveryTime, OnReopen::Continue);
        let history = history(&acts);
        let (policy, id) = (PolicyId::new("p").unwrap(), GoalId::new("goal").unwrap());
        let found = book.evaluate(&calendars, &history, at(now));
        let parts = book.account(&calendars, &history, &policy, &id, at(now)).unwrap();
        let found = goal(&found);
        if let (Some(first), Some(started)) = (parts.first(), found.started_at) {
            prop_assert_eq!(first.period.start(), started);
            prop_assert_eq!(parts.last().unwrap().period.end(), at(now));
            for pair in parts.windows(2) {
                prop_assert_eq!(pair[0].period.end(), pair[1].period.start());
            }
            let counted = parts.iter().filter(|part| part.class == AccountClass::Counted);
            let counted: i64 = counted.map(|part| part.period.seconds()).sum();
            prop_assert_eq!(Some(counted), found.elapsed.map(aftersale::sla::policy::Amount::value));
        }
    }

    /// SLA-7: an evaluation depends on the history only: written out and read back, and with events
    /// of one instant given in another order, it is the same.
    #[test]
    fn replay_gives_the_same(acts in acts(), now in 0_i64..7_000, level in 0_usize..6) {
        let calendars = calendars();
        let book = book(level, ChangeMode::Scale, Starts::EveryTime, OnReopen::NewCycle);
        let original = history(&acts);
        let text = serde_json::to_string(&original).unwrap();
        let stored: CaseHistory = serde_json::from_str(&text).unwrap();
        let found = book.evaluate(&calendars, &original, at(now));
        prop_assert_eq!(&book.evaluate(&calendars, &stored, at(now)), &found);
        let mut turned: Vec<_> = acts.iter().rev().copied().collect();
        // Pauses and resumptions of one reason at one instant, and values of one fact, follow the
        // order given.
        let has_order = |act: &Act| matches!(act, Act::Pause(_) | Act::Resume(_) | Act::Status(_));
        turned.sort_by_key(|(minute, act)| (*minute, has_order(act)));
        let mut kept: Vec<_> = acts.clone();
        kept.sort_by_key(|(minute, act)| (*minute, has_order(act)));
        let ordered = |acts: &[(i64, Act)]| {
            acts.iter().filter(|(_, act)| has_order(act)).copied().collect::<Vec<_>>()
        };
        if ordered(&turned) == ordered(&kept) {
            prop_assert_eq!(&book.evaluate(&calendars, &history(&turned), at(now)), &found);
        }
        let wire = serde_json::to_string(&found).unwrap();
        prop_assert_eq!(serde_json::from_str::<Evaluation>(&wire).unwrap(), found);
    }
}
