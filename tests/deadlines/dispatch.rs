//! Dispatch: who gets which case.

use aftersale::calendar::book::{CalendarDefinition, Calendars};
use aftersale::calendar::hours::DateRange;
use aftersale::condition::Facts;
use aftersale::condition::schema::{FactType, Schema};
use aftersale::dispatch::agent::{Agent, Exclusion, Preference};
use aftersale::dispatch::assign::{OpenAssignment, Outcome, Ticket};
use aftersale::dispatch::board::{Board, BoardError};
use aftersale::dispatch::rules::{
    DispatchBook, DispatchDefect, DispatchRule, LanguageId, Nobody, OwnerRule, SkillId,
    Strategy as Choice, TierOrder,
};
use aftersale::explain::{Effect, Fact};
use aftersale::id::{ActorId, CalendarId, CaseId, FactName};
use aftersale::money::{Money, currency::Currency};
use aftersale::time::{Instant, Interval};
use chrono::{DateTime, NaiveDate};
use proptest::prelude::*;
use serde_json::{Value, json};

fn at(text: &str) -> Instant {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn calendars() -> Calendars {
    let definitions: Vec<CalendarDefinition> = serde_json::from_value(json!([
        {"hours": {"id": "early", "zone": "UTC", "weekly": {"mon": ["06:00-14:00"], "tue": ["06:00-14:00"]}}},
        {"hours": {"id": "late", "zone": "UTC", "weekly": {"mon": ["14:00-22:00"], "tue": ["14:00-22:00"]}}},
    ]))
    .unwrap();
    let day = |m, d| NaiveDate::from_ymd_opt(2026, m, d).unwrap();
    Calendars::compile(&definitions, DateRange { first: day(1, 1), last: day(12, 31) }).unwrap()
}

fn schema() -> Schema {
    let name = |text: &str| FactName::new(text).unwrap();
    let codes = || FactType::Code(Default::default());
    Schema::new()
        .with_optional(name("reason"), codes())
        .with_optional(name("channel"), codes())
        .with_optional(name("category"), codes())
        .with_optional(name("customer_tier"), codes())
        .with_optional(name("language"), codes())
        .with_optional(name("amount"), FactType::Amount(Currency::CNY))
}

fn book(rules: Value) -> DispatchBook {
    DispatchBook::verify(serde_json::from_value(json!({"rules": rules})).unwrap(), &schema())
        .unwrap()
}

fn board(agents: Value) -> Board {
    Board::new(serde_json::from_value(agents).unwrap()).unwrap()
}

fn ticket(case: &str, facts: &[(&str, Fact)]) -> Ticket {
    let facts: Facts =
        facts.iter().map(|(name, fact)| (FactName::new(name).unwrap(), fact.clone())).collect();
    Ticket { case: CaseId::new(case).unwrap(), facts, owner: None, due: None }
}

const NOON: &str = "2026-03-02T12:00:00Z";

fn assign(board: &mut Board, book: &DispatchBook, ticket: &Ticket) -> Option<String> {
    match board.assign(book, &calendars(), ticket, at(NOON)).value {
        Outcome::Assigned { agent, .. } => Some(agent.to_string()),
        Outcome::Waiting { .. } | Outcome::NoRule => None,
    }
}

#[test]
fn complex_and_expensive_cases_go_to_senior_staff() {
    let book = book(json!([
        {"id": "safety", "when": {"test": {"fact": "reason", "is": {"type": "code", "value": "overheats"}}}, "skills": ["electronics"], "tier_min": 3},
        {"id": "expensive", "when": {"test": {"fact": "amount", "at_least": {"type": "amount", "value": {"amount": "1000.00", "currency": "CNY"}}}}, "tier_min": 2},
        {"id": "everything_else"},
    ]));
    let mut board = board(json!([
        {"id": "junior", "tier": 1, "capacity": 10},
        {"id": "senior", "tier": 2, "capacity": 10},
        {"id": "expert", "tier": 3, "capacity": 10, "skills": ["electronics"]},
    ]));
    let amount = |minor| Fact::Amount(Money::new(minor, Currency::CNY));
    let overheats = ticket("a", &[("reason", Fact::code("overheats"))]);
    assert_eq!(assign(&mut board, &book, &overheats).unwrap(), "expert");
    assert_eq!(
        assign(&mut board, &book, &ticket("b", &[("amount", amount(100_000))])).unwrap(),
        "senior"
    );
    assert_eq!(
        assign(&mut board, &book, &ticket("c", &[("amount", amount(99_999))])).unwrap(),
        "junior"
    );
}

#[test]
fn the_language_of_the_case_is_spoken() {
    let book = book(json!([{"id": "all", "language": "language"}]));
    let mut board = board(json!([
        {"id": "ada", "languages": ["en"], "capacity": 10},
        {"id": "li", "languages": ["zh", "en"], "capacity": 10, "load": 9},
    ]));
    let spoken = |code: &str| ticket(code, &[("language", Fact::code(code))]);
    assert_eq!(assign(&mut board, &book, &spoken("zh")).unwrap(), "li");
    assert_eq!(assign(&mut board, &book, &spoken("fr")), None);
    assert_eq!(
        assign(&mut board, &book, &ticket("x", &[])).unwrap(),
        "ada",
        "no language is needed"
    );
}

#[test]
fn round_robin_goes_round() {
    let book = book(json!([{"id": "all", "strategy": "round_robin"}]));
    let mut board = board(
        json!([{"id": "a", "capacity": 9}, {"id": "b", "capacity": 9}, {"id": "c", "capacity": 9}]),
    );
    let order: Vec<_> =
        (0..5).map(|n| assign(&mut board, &book, &ticket(&n.to_string(), &[])).unwrap()).collect();
    assert_eq!(order, ["a", "b", "c", "a", "b"]);
}

#[test]
fn weights_share_the_cases() {
    let book = book(json!([{"id": "all", "strategy": "weighted"}]));
    let mut board = board(json!([
        {"id": "full_time", "capacity": 1000, "weight": 3},
        {"id": "part_time", "capacity": 1000, "weight": 1},
        {"id": "trainer", "capacity": 1000, "weight": 0},
    ]));
    let mut counts = std::collections::BTreeMap::new();
    for number in 0..100 {
        *counts
            .entry(assign(&mut board, &book, &ticket(&number.to_string(), &[])).unwrap())
            .or_insert(0) += 1;
    }
    assert_eq!(counts["full_time"], 75);
    assert_eq!(counts["part_time"], 25);
    assert!(!counts.contains_key("trainer"));
}

#[test]
fn the_least_loaded_by_share_of_capacity_is_chosen() {
    let book = book(json!([{"id": "all"}]));
    let mut board = board(
        json!([{"id": "a", "capacity": 4, "load": 2}, {"id": "b", "capacity": 10, "load": 4}]),
    );
    let first = ticket("1", &[]);
    assert_eq!(
        assign(&mut board, &book, &first).unwrap(),
        "b",
        "four of ten is less than two of four"
    );
}

/// DSP-4: the earlier owner has the case again when able and there, and not otherwise.
#[test]
fn the_owner_is_asked_first() {
    let rules = book(json!([{"id": "all"}]));
    let mut crew = board(json!([
        {"id": "a", "capacity": 9}, {"id": "b", "capacity": 9, "load": 8}, {"id": "c", "capacity": 9, "load": 9},
        {"id": "d", "capacity": 9, "absent": [{"start": "2026-03-01T00:00:00Z", "end": "2026-03-03T00:00:00Z"}]},
        {"id": "e", "capacity": 9, "shift": "late"},
    ]));
    let owned =
        |owner: &str| Ticket { owner: Some(ActorId::new(owner).unwrap()), ..ticket("1", &[]) };
    assert_eq!(assign(&mut crew, &rules, &owned("b")).unwrap(), "b");
    for absent in ["c", "d", "e", "nobody"] {
        assert_eq!(assign(&mut crew, &rules, &owned(absent)).unwrap(), "a", "{absent}");
    }
    let ignoring = book(json!([{"id": "all", "owner": "ignored", "strategy": "round_robin"}]));
    let mut crew = board(json!([{"id": "a", "capacity": 9}, {"id": "b", "capacity": 9}]));
    assert_eq!(assign(&mut crew, &ignoring, &owned("b")).unwrap(), "a");
}

#[test]
fn a_case_that_waits_says_when_to_try_again() {
    let rules = book(json!([{"id": "all", "skills": ["phones"]}]));
    let mut crew = board(json!([
        {"id": "late", "capacity": 9, "shift": "late", "skills": ["phones"]},
        {"id": "away", "capacity": 9, "skills": ["phones"], "absent": [{"start": "2026-03-02T00:00:00Z", "end": "2026-03-02T16:00:00Z"}]},
        {"id": "other", "capacity": 9},
    ]));
    let decision = crew.assign(&rules, &calendars(), &ticket("1", &[]), at(NOON));
    let Outcome::Waiting { try_again, .. } = &decision.value else { panic!("{decision:?}") };
    assert_eq!(*try_again, Some(at("2026-03-02T14:00:00Z")));
    let reasons: Vec<_> = decision.with_effect(Effect::Denies).map(ToString::to_string).collect();
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    let told = crew.exclusions(&rules.rules()[0], &calendars(), &ticket("1", &[]), at(NOON));
    let told: Vec<_> = told.iter().map(|(id, why)| (id.as_str(), *why)).collect();
    assert_eq!(
        told,
        [
            ("away", Some(Exclusion::Absent)),
            ("late", Some(Exclusion::OffShift)),
            ("other", Some(Exclusion::Skill))
        ]
    );
}

/// Whoever comes first under any rule that was tried is waited for.
#[test]
fn a_case_that_waits_by_two_rules_is_tried_again_by_the_first_to_come() {
    let rules = book(json!([
        {"id": "specialists", "skills": ["phones"], "nobody": "next_rule"},
        {"id": "seniors", "tier_min": 3, "nobody": "next_rule"},
        {"id": "linguists", "skills": ["translation"]},
    ]));
    let mut crew = board(json!([
        {"id": "late", "capacity": 9, "shift": "late", "skills": ["phones"]},
        {"id": "away", "capacity": 9, "tier": 3, "absent": [{"start": "2026-03-02T00:00:00Z", "end": "2026-03-02T16:00:00Z"}]},
        {"id": "other", "capacity": 9},
    ]));
    let decision = crew.assign(&rules, &calendars(), &ticket("1", &[]), at(NOON));
    let Outcome::Waiting { rule, try_again } = &decision.value else { panic!("{decision:?}") };
    assert_eq!(rule.as_str(), "linguists");
    assert_eq!(*try_again, Some(at("2026-03-02T14:00:00Z")));
}

/// A board that was loaded without the load of an absent agent does not invent any.
#[test]
fn a_case_that_cannot_move_leaves_the_board_as_it_was() {
    let rules = book(json!([{"id": "all", "effort": 5}]));
    let mut crew = board(json!([
        {"id": "away", "capacity": 9, "load": 2, "absent": [{"start": "2026-03-02T00:00:00Z", "end": "2026-03-03T00:00:00Z"}]},
    ]));
    let before = crew.clone();
    let open = OpenAssignment {
        ticket: ticket("1", &[]),
        agent: ActorId::new("away").unwrap(),
        effort: 5,
    };
    let moved = crew.reassign_absent(&rules, &calendars(), &[open], at(NOON));
    assert!(matches!(moved[0].1.value, Outcome::Waiting { .. }));
    assert_eq!(crew, before);
}

#[test]
fn the_next_rule_is_tried_when_a_rule_says_so() {
    let rules = book(json!([
        {"id": "specialists", "skills": ["phones"], "nobody": "next_rule"},
        {"id": "anybody"},
    ]));
    let mut crew = board(json!([{"id": "a", "capacity": 9}]));
    let decision = crew.assign(&rules, &calendars(), &ticket("1", &[]), at(NOON));
    assert!(
        matches!(&decision.value, Outcome::Assigned { rule, .. } if rule.as_str() == "anybody")
    );
    let none = book(
        json!([{"id": "vip", "when": {"test": {"fact": "customer_tier", "is": {"type": "code", "value": "gold"}}}}]),
    );
    assert_eq!(
        crew.assign(&none, &calendars(), &ticket("1", &[]), at(NOON)).value,
        Outcome::NoRule
    );
}

/// DSP-5: cases of an absent agent move to others, and stay where they are when nobody else can take
/// them; no effort is lost or made.
#[test]
fn cases_of_absent_agents_move() {
    let rules = book(json!([{"id": "all"}]));
    let mut crew =
        board(json!([{"id": "a", "capacity": 9, "load": 3}, {"id": "b", "capacity": 2}]));
    let away = Interval::new(at("2026-03-02T00:00:00Z"), at("2026-03-03T00:00:00Z")).unwrap();
    crew.mark_absent(&ActorId::new("a").unwrap(), away).unwrap();
    let open: Vec<_> = ["1", "2", "3"]
        .map(|case| OpenAssignment {
            ticket: ticket(case, &[]),
            agent: ActorId::new("a").unwrap(),
            effort: 1,
        })
        .to_vec();
    let moved = crew.reassign_absent(&rules, &calendars(), &open, at(NOON));
    let assigned =
        moved.iter().filter(|(_, d)| matches!(d.value, Outcome::Assigned { .. })).count();
    assert_eq!((moved.len(), assigned), (3, 2));
    let loads: Vec<_> = crew.agents().map(|agent| agent.load).collect();
    assert_eq!(loads, [1, 2]);
    let back = at("2026-03-03T12:00:00Z");
    assert!(crew.reassign_absent(&rules, &calendars(), &open, back).is_empty());
}

#[test]
fn drafts_and_boards_are_checked() {
    let verify = |rules: Value| {
        DispatchBook::verify(serde_json::from_value(json!({"rules": rules})).unwrap(), &schema())
            .unwrap_err()
    };
    assert!(matches!(
        &verify(json!([{"id": "a"}, {"id": "b"}]))[..],
        [DispatchDefect::UnreachableRule { .. }]
    ));
    assert!(matches!(
        &verify(json!([{"id": "a", "language": "dialect"}]))[..],
        [DispatchDefect::UnknownLanguageFact { .. }]
    ));
    let twice: Vec<Agent> =
        serde_json::from_value(json!([{"id": "a", "capacity": 1}, {"id": "a", "capacity": 2}]))
            .unwrap();
    assert!(matches!(Board::new(twice), Err(BoardError::Twice { .. })));
    let skilled: Vec<Agent> = (0..257)
        .map(|n| {
            serde_json::from_value(
                json!({"id": format!("a{n}"), "capacity": 1, "skills": [format!("s{n}")]}),
            )
            .unwrap()
        })
        .collect();
    assert!(matches!(Board::new(skilled), Err(BoardError::TooMany { .. })));
}

/// Who has no capacity may have a case that takes none; the order stays total, also among many.
#[test]
fn agents_without_capacity_are_ranked_like_all_others() {
    let book = book(json!([{"id": "all", "effort": 0}]));
    let crew: Vec<Value> = (0..60_u32)
        .map(|n| {
            let (capacity, load) = if n % 3 == 0 { (0, 0) } else { (10, (n * 7) % 10) };
            json!({"id": format!("a{n:02}"), "capacity": capacity, "load": load})
        })
        .collect();
    let board = board(json!(crew));
    let ticket = ticket("c", &[]);
    let ranking = board.ranking(&book.rules()[0], &calendars(), &ticket, at(NOON));
    let load = |id: &ActorId| board.agents().find(|agent| agent.id == *id).unwrap().load;
    let told: Vec<_> = ranking.iter().map(|(id, _)| (load(id), (*id).clone())).collect();
    assert_eq!(told.len(), 60);
    assert!(told.is_sorted(), "{told:?}");
}

fn crews() -> impl Strategy<Value = Vec<Agent>> {
    let agent = (
        proptest::collection::btree_set(0_u8..4, 0..4),
        proptest::collection::btree_set(0_u8..3, 0..3),
        0_u8..4,
        0_u8..3,
        0_u32..6,
        0_u32..4,
        0_u32..6,
        any::<bool>(),
    );
    proptest::collection::vec(agent, 0..12).prop_map(|crew| {
        let shifts = ["early", "late"];
        crew.into_iter()
            .enumerate()
            .map(|(n, (skills, languages, tier, shift, capacity, weight, load, absent))| Agent {
                id: ActorId::new(format!("agent_{n}")).unwrap(),
                skills: skills
                    .iter()
                    .map(|s| SkillId::new(format!("skill_{s}")).unwrap())
                    .collect(),
                languages: languages
                    .iter()
                    .map(|l| LanguageId::new(format!("l{l}")).unwrap())
                    .collect(),
                tier,
                shift: shifts.get(usize::from(shift)).map(|s| CalendarId::new(s).unwrap()),
                capacity,
                weight,
                absent: if absent && n % 3 == 0 {
                    vec![
                        Interval::new(at("2026-03-02T11:00:00Z"), at("2026-03-02T13:00:00Z"))
                            .unwrap(),
                    ]
                } else {
                    vec![]
                },
                load,
            })
            .collect()
    })
}

fn rules() -> impl Strategy<Value = DispatchBook> {
    let rule = (
        0_u8..5,
        proptest::collection::btree_set(0_u8..4, 0..3),
        0_u8..3,
        0_usize..3,
        0_usize..3,
        any::<bool>(),
        0_u32..3,
        any::<bool>(),
    );
    proptest::collection::vec(rule, 1..4).prop_map(|rules| {
        let count = rules.len();
        let rules: Vec<Value> = rules
            .into_iter()
            .enumerate()
            .map(|(n, (reason, skills, tier_min, strategy, order, owner, effort, next))| {
                let reason =
                    json!({"test": {"fact": "reason", "one_of": [format!("r{reason}"), "r0"]}});
                json!({
                    "id": format!("rule_{n}"),
                    "when": if n + 1 == count { json!("always") } else { reason },
                    "skills": skills.iter().map(|s| format!("skill_{s}")).collect::<Vec<_>>(),
                    "language": "language",
                    "tier_min": tier_min,
                    "strategy": (["round_robin", "least_loaded", "weighted"][strategy]),
                    "tier_order": (["lowest_first", "highest_first", "any"][order]),
                    "owner": if owner { "first" } else { "ignored" },
                    "effort": effort,
                    "nobody": if next { "next_rule" } else { "wait" },
                })
            })
            .collect();
        book(json!(rules))
    })
}

fn tickets() -> impl Strategy<Value = Vec<Ticket>> {
    proptest::collection::vec(
        (
            0_u8..5,
            proptest::option::of(0_u8..3),
            proptest::option::of(0_u8..12),
            proptest::option::of(0_i64..5),
        ),
        1..20,
    )
    .prop_map(|tickets| {
        tickets
            .into_iter()
            .enumerate()
            .map(|(n, (reason, language, owner, due))| {
                let mut facts = vec![("reason", Fact::code(format!("r{reason}")))];
                facts.extend(language.map(|l| ("language", Fact::code(format!("l{l}")))));
                let mut ticket = ticket(&format!("case_{n:02}"), &facts);
                ticket.owner = owner.map(|o| ActorId::new(format!("agent_{o}")).unwrap());
                ticket.due = due.map(|d| at(NOON) + chrono::TimeDelta::hours(d));
                ticket
            })
            .collect()
    })
}

/// A slow and obvious dispatcher: filters, sorts by a stated key, takes the first.
struct Slow {
    crew: Vec<(Agent, u64, u64)>,
    given: u64,
}

impl Slow {
    fn assign(&mut self, book: &DispatchBook, ticket: &Ticket) -> Option<ActorId> {
        for rule in book.rules() {
            if !rule.when.evaluate(&ticket.facts).holds() {
                continue;
            }
            let language = rule.language.as_ref().and_then(|fact| ticket.facts.get(fact)).cloned();
            let able = |agent: &Agent| {
                rule.skills.is_subset(&agent.skills)
                    && match &language {
                        None => true,
                        Some(Fact::Code(code)) => {
                            agent.languages.iter().any(|l| l.as_str() == code)
                        }
                        Some(_) => false,
                    }
                    && agent.tier >= rule.tier_min
                    && agent.absent.is_empty()
                    && agent.shift.as_ref().is_none_or(|shift| shift.as_str() == "early")
                    && agent.load + rule.effort <= agent.capacity
                    && (rule.strategy != Choice::Weighted || agent.weight > 0)
            };
            let mut able: Vec<usize> =
                (0..self.crew.len()).filter(|n| able(&self.crew[*n].0)).collect();
            able.sort_by_key(|n| {
                let (agent, got, last) = &self.crew[*n];
                let is_owner =
                    rule.owner == OwnerRule::First && ticket.owner.as_ref() == Some(&agent.id);
                let tier = match rule.tier_order {
                    TierOrder::LowestFirst => i32::from(agent.tier),
                    TierOrder::HighestFirst => -i32::from(agent.tier),
                    TierOrder::Any => 0,
                };
                // Shares over a common denominator: all capacities and weights are below 6.
                let share = match rule.strategy {
                    Choice::RoundRobin => 0,
                    Choice::LeastLoaded => {
                        u64::from(agent.load) * 60 / u64::from(agent.capacity.max(1))
                    }
                    Choice::Weighted => (got + 1) * 60 / u64::from(agent.weight),
                };
                (!is_owner, tier, share, *last, agent.id.clone())
            });
            if let Some(chosen) = able.first() {
                self.given += 1;
                let (agent, got, last) = &mut self.crew[*chosen];
                agent.load += rule.effort;
                *got += 1;
                *last = self.given;
                return Some(agent.id.clone());
            }
            if rule.nobody == Nobody::Wait {
                return None;
            }
        }
        None
    }
}

proptest! {
    /// DSP-1: the agent is the one that filtering and sorting by the stated key gives; nobody gets a
    /// case without the skills, language and tier, while absent, off shift or full.
    #[test]
    fn the_choice_is_that_of_filtering_and_sorting(crew in crews(), book in rules(), tickets in tickets()) {
        let mut board = Board::new(crew.clone()).unwrap();
        let mut slow = Slow { crew: crew.into_iter().map(|agent| (agent, 0, 0)).collect(), given: 0 };
        let calendars = calendars();
        for ticket in &tickets {
            let decision = board.assign(&book, &calendars, ticket, at(NOON));
            let found = match decision.value {
                Outcome::Assigned { agent, .. } => Some(agent),
                Outcome::Waiting { .. } | Outcome::NoRule => None,
            };
            prop_assert_eq!(found, slow.assign(&book, ticket));
        }
        prop_assert!(board.agents().all(|agent| agent.load <= agent.capacity.max(5)));
    }

    /// DSP-2: a batch is its cases one by one in the order of deadline and id, however it is ordered.
    #[test]
    fn a_batch_is_its_cases_in_order(
        crew in crews(), book in rules(), tickets in tickets(), turn in 0_usize..20,
    ) {
        let calendars = calendars();
        let run = |tickets: &[Ticket]| {
            let mut board = Board::new(crew.clone()).unwrap();
            let decisions = board.assign_batch(&book, &calendars, tickets, at(NOON));
            (decisions, board)
        };
        let mut turned = tickets.clone();
        turned.rotate_left(turn % tickets.len());
        prop_assert_eq!(run(&turned), run(&tickets));
        let mut ordered = tickets.clone();
        ordered.sort_by_key(|t| (t.due.is_none(), t.due, t.case.clone()));
        let mut board = Board::new(crew.clone()).unwrap();
        let singles: Vec<_> = ordered
            .iter()
            .map(|t| (t.case.clone(), board.assign(&book, &calendars, t, at(NOON))))
            .collect();
        prop_assert_eq!(run(&tickets), (singles, board));
    }

    /// DSP-3: a board written out and read back goes on giving the same cases to the same agents.
    #[test]
    fn a_stored_board_goes_on_as_before(crew in crews(), book in rules(), tickets in tickets()) {
        let calendars = calendars();
        let mut board = Board::new(crew).unwrap();
        board.assign_batch(&book, &calendars, &tickets, at(NOON));
        let text = serde_json::to_string(&board).unwrap();
        let mut stored: Board = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&stored, &board);
        prop_assert_eq!(
            stored.assign_batch(&book, &calendars, &tickets, at(NOON)),
            board.assign_batch(&book, &calendars, &tickets, at(NOON))
        );
    }
}

/// The ranking of a slow dispatcher: able agents sorted by the stated key.
impl Slow {
    fn ranking(&self, rule: &DispatchRule, ticket: &Ticket) -> Vec<ActorId> {
        let mut rest = Slow { crew: self.crew.clone(), given: self.given };
        let one = DispatchBook::verify(
            serde_json::from_value(json!({"rules": [{
                "id": rule.id, "skills": rule.skills, "language": rule.language,
                "tier_min": rule.tier_min, "tier_order": rule.tier_order,
                "strategy": rule.strategy, "owner": rule.owner, "effort": rule.effort,
            }]}))
            .unwrap(),
            &schema(),
        )
        .unwrap();
        let mut order = Vec::new();
        while let Some(next) = rest.assign(&one, ticket) {
            rest.crew.retain(|(agent, _, _)| agent.id != next);
            order.push(next);
        }
        order
    }
}

proptest! {
    /// DSP-8: the ranking has every agent who can take the case once, in the stated order, whatever
    /// the order in which the board was filled; its first has the case, and the reason told for each
    /// is the first criterion in which it differs from the next.
    #[test]
    fn the_ranking_is_total_and_says_what_decided(
        crew in crews(), book in rules(), tickets in tickets(), turn in 0_usize..12,
    ) {
        let calendars = calendars();
        let mut turned = crew.clone();
        if !turned.is_empty() {
            turned.rotate_left(turn % crew.len());
            turned.reverse();
        }
        let mut board = Board::new(turned).unwrap();
        let mut slow = Slow { crew: crew.into_iter().map(|agent| (agent, 0, 0)).collect(), given: 0 };
        for ticket in &tickets {
            for rule in book.rules() {
                let ranking = board.ranking(rule, &calendars, ticket, at(NOON));
                let names: Vec<ActorId> = ranking.iter().map(|(id, _)| (*id).clone()).collect();
                prop_assert_eq!(&names, &slow.ranking(rule, ticket));
                let agents: Vec<&(Agent, u64, u64)> = names
                    .iter()
                    .map(|id| slow.crew.iter().find(|(agent, _, _)| agent.id == *id).unwrap())
                    .collect();
                for (place, (id, why)) in ranking.iter().enumerate() {
                    let is_owner = rule.owner == OwnerRule::First && ticket.owner.as_ref() == Some(id);
                    let (agent, got, last) = agents[place];
                    let expected = match agents.get(place + 1) {
                        _ if is_owner => Preference::Owner,
                        None => Preference::OnlyOne,
                        Some((next, next_got, next_last)) => {
                            let by_tier = rule.tier_order != TierOrder::Any && agent.tier != next.tier;
                            let load = |agent: &Agent| agent.load * 60 / agent.capacity.max(1);
                            let share = |agent: &Agent, got: u64| (got + 1) * 60 / u64::from(agent.weight);
                            match rule.strategy {
                                _ if by_tier => Preference::Tier,
                                Choice::LeastLoaded if load(agent) != load(next) => Preference::Load,
                                Choice::Weighted if share(agent, *got) != share(next, *next_got) => Preference::Weight,
                                _ if last != next_last => Preference::LongestWait,
                                _ => Preference::Id,
                            }
                        }
                    };
                    prop_assert_eq!(*why, expected);
                }
            }
            let rankings: Vec<_> = book
                .rules()
                .iter()
                .map(|rule| board.ranking(rule, &calendars, ticket, at(NOON)).first().map(|(id, why)| ((*id).clone(), *why)))
                .collect();
            let decision = board.assign(&book, &calendars, ticket, at(NOON));
            slow.assign(&book, ticket);
            if let Outcome::Assigned { agent, rule, effort } = &decision.value {
                let place = book.rules().iter().position(|own| own.id == *rule).unwrap();
                let (first, why) = rankings[place].clone().unwrap();
                prop_assert_eq!(agent, &first);
                prop_assert_eq!(*effort, book.rules()[place].effort);
                let told = decision.with_effect(Effect::Sets).next().unwrap();
                prop_assert_eq!(&told.observed, &Some(Fact::code(agent)));
                prop_assert_eq!(&told.required, &Some(Fact::code(why)));
            } else {
                let asked = decision.findings.iter().map(|finding| &finding.rule.id);
                let asked: std::collections::BTreeSet<_> = asked.collect();
                for (rule, ranked) in book.rules().iter().zip(&rankings) {
                    let holds = rule.when.evaluate(&ticket.facts).holds();
                    prop_assert!(!holds || ranked.is_none() || !asked.contains(&rule.id));
                }
            }
        }
    }

    /// DSP-9: a complex case goes to senior staff or waits, whoever else is free: nobody below the
    /// tier has it, whatever the strategy, the owner and the next rules ask.
    #[test]
    fn complex_cases_never_go_below_their_tier(
        crew in crews(), tickets in tickets(), tier_min in 1_u8..5, strategy in 0_usize..3,
    ) {
        let book = book(json!([
            {"id": "complex", "when": {"test": {"fact": "reason", "one_of": ["r0", "r1"]}}, "tier_min": tier_min,
             "strategy": (["round_robin", "least_loaded", "weighted"][strategy])},
            {"id": "others"},
        ]));
        let calendars = calendars();
        let mut board = Board::new(crew.clone()).unwrap();
        for ticket in &tickets {
            let complex = book.rules()[0].when.evaluate(&ticket.facts).holds();
            let decision = board.assign(&book, &calendars, ticket, at(NOON));
            if let Outcome::Assigned { agent, rule, .. } = &decision.value {
                let tier = crew.iter().find(|a| a.id == *agent).unwrap().tier;
                prop_assert_eq!(rule.as_str() == "complex", complex);
                prop_assert!(!complex || tier >= tier_min);
            } else if complex {
                let counted = decision.with_effect(Effect::Denies).map(|finding| match &finding.observed {
                    Some(Fact::Count(count)) => *count,
                    _ => 0,
                });
                prop_assert_eq!(counted.sum::<i64>(), crew.len() as i64, "each agent is left out once");
            }
        }
    }

    /// DSP-10: moving the cases of absent agents is assigning them in the order of deadline and id
    /// with the effort given back; whoever is there keeps what they have, and no effort is lost or
    /// made.
    #[test]
    fn reassignment_moves_the_cases_of_absent_agents_only(
        crew in crews(), book in rules(), tickets in tickets(), away in proptest::collection::vec(any::<bool>(), 12),
    ) {
        let calendars = calendars();
        let mut board = Board::new(crew.clone()).unwrap();
        let mut open = Vec::new();
        for ticket in &tickets {
            if let Outcome::Assigned { agent, effort, .. } = board.assign(&book, &calendars, ticket, at(NOON)).value {
                open.push(OpenAssignment { ticket: ticket.clone(), agent, effort });
            }
        }
        let period = Interval::new(at("2026-03-02T11:30:00Z"), at("2026-03-02T18:00:00Z")).unwrap();
        for (agent, _) in crew.iter().zip(&away).filter(|(_, away)| **away) {
            board.mark_absent(&agent.id, period).unwrap();
        }
        let is_away = |id: &ActorId| {
            board.agents().find(|a| a.id == *id).unwrap().absent.iter().any(|p| p.contains(at(NOON)))
        };
        let loads = |board: &Board| board.agents().map(|a| (a.id.clone(), a.load)).collect::<std::collections::BTreeMap<_, _>>();
        let before = loads(&board);
        let mut moving: Vec<&OpenAssignment> = open.iter().filter(|a| is_away(&a.agent)).collect();
        moving.sort_by_key(|a| (a.ticket.due.is_none(), a.ticket.due, a.ticket.case.clone()));
        let mut turned = open.clone();
        turned.reverse();
        let mut other = board.clone();
        let moved = board.reassign_absent(&book, &calendars, &open, at(NOON));
        prop_assert_eq!(&other.reassign_absent(&book, &calendars, &turned, at(NOON)), &moved);
        let cases: Vec<_> = moved.iter().map(|(case, _)| case).collect();
        prop_assert_eq!(cases, moving.iter().map(|a| &a.ticket.case).collect::<Vec<_>>());
        let mut expected = before;
        for (assignment, (_, decision)) in moving.iter().zip(&moved) {
            if let Outcome::Assigned { agent, effort, .. } = &decision.value {
                prop_assert!(!is_away_in(&board, agent), "given to an absent agent");
                *expected.get_mut(&assignment.agent).unwrap() -= assignment.effort;
                *expected.get_mut(agent).unwrap() += effort;
            }
        }
        prop_assert_eq!(loads(&board), expected);
    }
}

fn is_away_in(board: &Board, id: &ActorId) -> bool {
    board.agents().find(|a| a.id == *id).unwrap().absent.iter().any(|p| p.contains(at(NOON)))
}

#[test]
fn an_agent_who_comes_back_early_gets_cases_again() {
    let rules = book(json!([{"id": "all"}]));
    let mut crew = board(
        json!([{"id": "a", "capacity": 9, "absent": [{"start": "2026-03-01T00:00:00Z", "end": "2026-03-09T00:00:00Z"},
                {"start": "2026-03-20T00:00:00Z", "end": "2026-03-21T00:00:00Z"}]}]),
    );
    let id = ActorId::new("a").unwrap();
    let one = ticket("1", &[]);
    let decision = crew.assign(&rules, &calendars(), &one, at(NOON));
    let Outcome::Waiting { try_again, .. } = decision.value else { panic!("{decision:?}") };
    assert_eq!(try_again, Some(at("2026-03-09T00:00:00Z")));
    crew.mark_back(&id, at(NOON)).unwrap();
    assert_eq!(assign(&mut crew, &rules, &one).unwrap(), "a");
    let kept: Vec<_> = crew.agents().next().unwrap().absent.iter().map(|p| p.end()).collect();
    assert_eq!(kept, [at(NOON), at("2026-03-21T00:00:00Z")], "another absence stays");
    assert!(matches!(
        crew.mark_back(&ActorId::new("b").unwrap(), at(NOON)),
        Err(BoardError::Unknown { .. })
    ));
}

#[test]
fn a_finished_case_frees_its_effort() {
    let rules = book(json!([{"id": "all", "effort": 2}]));
    let mut crew = board(json!([{"id": "a", "capacity": 3}]));
    assert_eq!(assign(&mut crew, &rules, &ticket("1", &[])).unwrap(), "a");
    assert_eq!(assign(&mut crew, &rules, &ticket("2", &[])), None, "two of three are in use");
    crew.release(&ActorId::new("a").unwrap(), 1).unwrap();
    assert_eq!(assign(&mut crew, &rules, &ticket("2", &[])).unwrap(), "a", "up to the last unit");
    crew.release(&ActorId::new("a").unwrap(), 99).unwrap();
    assert_eq!(crew.agents().next().unwrap().load, 0);
}

#[test]
fn rules_ask_by_reason_amount_tier_channel_and_category() {
    let code = |fact: &str, value: &str| json!({"test": {"fact": fact, "is": {"type": "code", "value": value}}});
    let amount = json!({"test": {"fact": "amount", "above": {"type": "amount", "value": {"amount": "500.00", "currency": "CNY"}}}});
    let rules = book(json!([
        {"id": "reason", "when": code("reason", "overheats")},
        {"id": "amount", "when": amount},
        {"id": "tier", "when": code("customer_tier", "gold")},
        {"id": "channel", "when": code("channel", "phone")},
        {"id": "category", "when": code("category", "milk")},
    ]));
    let by = |facts: &[(&str, Fact)]| {
        let mut crew = board(json!([{"id": "a", "capacity": 9}]));
        match crew.assign(&rules, &calendars(), &ticket("1", facts), at(NOON)).value {
            Outcome::Assigned { rule, .. } => rule.to_string(),
            other => format!("{other:?}"),
        }
    };
    assert_eq!(
        by(&[("reason", Fact::code("overheats")), ("channel", Fact::code("phone"))]),
        "reason"
    );
    assert_eq!(by(&[("amount", Fact::Amount(Money::new(50_001, Currency::CNY)))]), "amount");
    assert_eq!(by(&[("customer_tier", Fact::code("gold"))]), "tier");
    assert_eq!(by(&[("channel", Fact::code("phone"))]), "channel");
    assert_eq!(by(&[("category", Fact::code("milk"))]), "category");
    assert_eq!(by(&[("amount", Fact::Amount(Money::new(50_000, Currency::CNY)))]), "NoRule");
}

#[test]
fn nobody_is_called_by_a_shift_without_a_calendar() {
    let rules = book(json!([{"id": "all"}]));
    let mut crew = board(json!([{"id": "a", "capacity": 9, "shift": "nowhere"}]));
    let decision = crew.assign(&rules, &calendars(), &ticket("1", &[]), at(NOON));
    let waiting = Outcome::Waiting { rule: rules.rules()[0].id.clone(), try_again: None };
    assert_eq!(decision.value, waiting);
}

#[test]
fn cases_of_an_agent_who_left_the_board_move_too() {
    let rules = book(json!([{"id": "all"}]));
    let mut crew = board(json!([{"id": "a", "capacity": 9}]));
    let agent = |id: &str| ActorId::new(id).unwrap();
    let open = ["a", "gone"].map(|id| OpenAssignment {
        ticket: ticket(id, &[]),
        agent: agent(id),
        effort: 1,
    });
    let moved = crew.reassign_absent(&rules, &calendars(), &open, at(NOON));
    assert_eq!(moved.len(), 1);
    assert_eq!(moved[0].0.as_str(), "gone");
    assert!(matches!(&moved[0].1.value, Outcome::Assigned { agent, .. } if agent.as_str() == "a"));
}
