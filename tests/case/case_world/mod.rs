//! Random stories of random orders under every practice, followed by a slow model.
#![allow(dead_code, reason = "every user of this module needs a part of it")]

pub(crate) mod commands;
pub(crate) mod finish;
pub(crate) mod model;
pub(crate) mod reviewed;
pub(crate) mod sales;
#[path = "../../support/sales.rs"]
pub(crate) mod sales_support;

use std::collections::{BTreeMap, HashMap};
use std::mem::{Discriminant, discriminant};

use aftersale::calendar::working_days::WorkingDays;
use aftersale::case::command::{Command, Envelope};
use aftersale::case::event::{Event, EventFact};
use aftersale::case::ledger::Location;
use aftersale::case::refusal::{Obstacle, Refusal};
use aftersale::case::status::CaseStatus;
use aftersale::case::{AfterSale, Answer, Context, Decision};
use aftersale::id::{CaseId, CommandId, OrderLineId};
use aftersale::label::Coded;
use aftersale::policy::deadline::Place;
use aftersale::policy::set::PolicySet;
use aftersale::preset::markets::{self, Market};
use aftersale::preset::policies::{CN_NO_REASON, STORE};
use aftersale::preset::reasons::TAXONOMY;
use aftersale::quantity::Quantity;
use aftersale::reason::history::Assertion;
use aftersale::reason::taxonomy::Taxonomy;
use aftersale::rules::Rules;
use aftersale::sale::Sale;
use aftersale::time::{Instant, add_seconds};

use model::cases::{End, Paying, Sending, Sent};
use model::{Broken, Held, Model, hold};
use reviewed::People;
use sales_support::Random;

/// The rules of one story: without a practice, those of one of the six marketplaces, or those under which
/// people decide, with a practice and without.
pub(crate) fn all_rules() -> Vec<(String, Rules)> {
    let taxonomy: Taxonomy = serde_json::from_str(TAXONOMY).unwrap();
    let policies: PolicySet = serde_json::from_str(&format!("[{STORE},{CN_NO_REASON}]")).unwrap();
    let place = Place::new("Asia/Shanghai".parse().unwrap(), WorkingDays::china());
    let plain = Rules::new(3, taxonomy, policies, place);
    let mut all = vec![("none".to_owned(), plain.clone())];
    for text in markets::ALL {
        let market: Market = serde_json::from_str(text).unwrap();
        let id = market.practice().id().to_string();
        all.push((id, plain.clone().with_practice(market.practice().clone())));
    }
    let store: Market = serde_json::from_str(markets::STORE).unwrap();
    all.push(("reviewed".to_owned(), reviewed::reviewed(&plain, 0, None)));
    all.push(("reviewed_store".to_owned(), reviewed::reviewed(&plain, 1, Some(store.practice()))));
    all
}

/// Rules of another version, with no policy that says anything about these orders.
pub(crate) fn other_rules() -> Rules {
    let taxonomy: Taxonomy = serde_json::from_str(TAXONOMY).unwrap();
    let policies: PolicySet = serde_json::from_str(&format!("[{CN_NO_REASON}]")).unwrap();
    let place = Place::new("Europe/London".parse().unwrap(), WorkingDays::weekdays());
    Rules::new(9, taxonomy, policies, place)
}

/// The number from which on the stories note that `allowed` misses something, by kind of command.
pub(crate) const LISTED: u16 = 200;
/// Which stories hold what is listed against what is accepted: every so many.
const LISTING: u64 = 5;
/// What is always possible, or possible in so many ways that no list names them.
const NOT_LISTED: &[&str] =
    &["open_case", "assign", "reassign", "assert_reason", "record_cost", "record_survey"];

/// One command of a story and when it was given.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) now: Instant,
    pub(crate) envelope: Envelope,
}

/// What a story reached, to see that the stories are not too tame.
#[derive(Default)]
pub(crate) struct Coverage {
    names: HashMap<Discriminant<Command>, String>,
    events_by: HashMap<Discriminant<EventFact>, String>,
    pub(crate) accepted: BTreeMap<String, u64>,
    pub(crate) refused: BTreeMap<String, u64>,
    pub(crate) events: BTreeMap<String, u64>,
    pub(crate) statuses: BTreeMap<String, u64>,
    pub(crate) practices: BTreeMap<String, u64>,
    pub(crate) obstacles: BTreeMap<String, u64>,
    pub(crate) stories: u64,
}

impl Coverage {
    fn command(&mut self, command: &Command, answer: &Result<Decision, Refusal>) {
        let name = self.names.entry(discriminant(command)).or_insert_with(|| tag(command)).clone();
        let book = if answer.is_ok() { &mut self.accepted } else { &mut self.refused };
        *book.entry(name).or_default() += 1;
        for obstacle in answer.as_ref().err().iter().flat_map(|refusal| &refusal.obstacles) {
            let text = format!("{obstacle:?}");
            let name = text.split([' ', '(']).next().unwrap().to_owned();
            *self.obstacles.entry(name).or_default() += 1;
        }
    }

    fn event(&mut self, fact: &EventFact) {
        let name = self.events_by.entry(discriminant(fact)).or_insert_with(|| tag(fact)).clone();
        *self.events.entry(name).or_default() += 1;
    }

    fn status(&mut self, status: CaseStatus) {
        *self.statuses.entry(status.to_string()).or_default() += 1;
    }
}

fn tag(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap()["type"].as_str().unwrap().to_owned()
}

/// An order with the model beside it.
pub(crate) struct World<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) sale: Sale,
    pub(crate) order: AfterSale,
    pub(crate) model: Model<'a>,
    pub(crate) events: Vec<Event>,
    people: People,
    /// Whether what is listed as allowed is held against what is accepted.
    lists: bool,
    said: HashMap<(CaseId, OrderLineId), Vec<Assertion>>,
    answered: HashMap<CommandId, (u64, Envelope)>,
}

impl<'a> World<'a> {
    pub(crate) fn new(sale: &Sale, rules: &'a Rules) -> Self {
        Self {
            rules,
            sale: sale.clone(),
            order: AfterSale::open(sale.clone()),
            model: Model::new(sale, rules.practice()),
            events: Vec::new(),
            people: People::new(),
            lists: false,
            said: HashMap::new(),
            answered: HashMap::new(),
        }
    }

    /// Gives one command to the engine, lets the model follow, and holds every invariant.
    pub(crate) fn give(
        &mut self,
        step: &Step,
        coverage: &mut Coverage,
    ) -> Result<Result<Decision, Refusal>, Broken> {
        let context = Context { now: step.now, rules: self.rules };
        let answer = self.order.decide_among(&context, &self.people.roster(), &step.envelope);
        coverage.command(&step.envelope.command, &answer);
        if self.lists {
            self.is_listed(step, &answer)?;
        }
        self.invariant_44_51_52(step, &answer)?;
        let decision = match &answer {
            Ok(decision) => decision,
            Err(refusal) => {
                self.invariant_53(step, refusal)?;
                return Ok(answer);
            }
        };
        for event in &decision.events {
            coverage.event(&event.fact);
            self.order.evolve(event);
            self.model.take(event, self.rules.version())?;
            self.same_books(event)?;
            self.events.push(event.clone());
        }
        // A tick has no event of its own: what fires then is caused by the timers.
        if decision.events.iter().any(|event| event.cause.command == step.envelope.id) {
            self.answered
                .insert(step.envelope.id.clone(), (self.order.version(), step.envelope.clone()));
        }
        asked_and_moved(&step.envelope, decision)?;
        if decision.answer == Answer::Accepted {
            let woken = self.order.next_wakeup();
            hold!(48, woken.is_none_or(|due| due > step.now), "{woken:?} is due and has not fired");
        }
        self.whole_books()?;
        for case in self.order.cases() {
            coverage.status(case.status());
        }
        Ok(answer)
    }

    /// What somebody may do now is listed for them, at least once of each kind.
    pub(crate) fn is_listed(&self, step: &Step, answer: &Result<Decision, Refusal>) -> Held {
        let Ok(Decision { answer: Answer::Accepted, events, .. }) = answer else { return Ok(()) };
        // A parcel of strangers alone may come to any case.
        let strange = |event: &Event| matches!(&event.fact, EventFact::GoodsReceived { postings, .. } if postings.is_empty());
        if events.iter().any(strange) {
            return Ok(());
        }
        // Charges and goodwill beside the goods are amounts that only a person can name.
        if let Command::Refund { terms, .. } = &step.envelope.command
            && !(terms.charges.is_empty() && terms.goodwill.is_empty())
        {
            return Ok(());
        }
        let kind = tag(&step.envelope.command);
        let Some(case) = step.envelope.command.case() else { return Ok(()) };
        if NOT_LISTED.contains(&kind.as_str()) {
            return Ok(());
        }
        let context = Context { now: step.now, rules: self.rules };
        let roster = self.people.roster();
        let listed = self.order.allowed_among(&context, &roster, &step.envelope.actor);
        let listed = listed.iter().map(|allowed| &allowed.command);
        let mut same = listed.filter(|own| own.case() == Some(case) && tag(own) == kind);
        let role = step.envelope.actor.role;
        let place = commands::KINDS.iter().position(|known| *known == kind).unwrap();
        hold!(
            LISTED + place as u16,
            same.next().is_some(),
            "{kind} is accepted and not listed for a {role}"
        );
        Ok(())
    }

    /// Time, retries and versions: by the envelope alone.
    fn invariant_44_51_52(&self, step: &Step, answer: &Result<Decision, Refusal>) -> Held {
        if let Some((_, known)) = self.answered.get(&step.envelope.id) {
            let same = known.command == step.envelope.command && known.actor == step.envelope.actor;
            match answer {
                Ok(decision) => {
                    let repeated = matches!(decision.answer, Answer::Repeated { .. });
                    hold!(51, same && repeated, "a used id gives {:?}", decision.answer);
                    hold!(51, decision.events.is_empty(), "a retry has events");
                    hold!(51, decision.duties.is_empty(), "a retry has duties");
                }
                Err(refusal) => {
                    let conflict =
                        matches!(refusal.obstacles[..], [Obstacle::CommandConflict { .. }]);
                    hold!(51, !same && conflict, "a retry is refused: {refusal}");
                }
            }
            return Ok(());
        }
        if let Some(expected) = step.envelope.expected_version {
            let stale = expected != self.order.version();
            hold!(52, !(stale && answer.is_ok()), "accepted for version {expected}");
        }
        let early = self.order.last_at().is_some_and(|last| step.now < last);
        hold!(44, !(early && answer.is_ok()), "accepted at {}", step.now);
        Ok(())
    }

    /// A refusal has numbers that are true.
    fn invariant_53(&self, step: &Step, refusal: &Refusal) -> Held {
        hold!(53, !refusal.obstacles.is_empty(), "refused without a reason");
        for obstacle in &refusal.obstacles {
            let Obstacle::NotEnough { line, asked, available, .. } = obstacle else { continue };
            hold!(53, asked > available, "{asked} asked, {available} there, and refused");
            let Command::OpenCase { resolution, .. } = &step.envelope.command else { continue };
            if self.order.next_wakeup().is_some_and(|due| due <= step.now) {
                continue; // The numbers are those after the timers that fire first.
            }
            let Some(known) = self.model.lines.get(line) else { continue };
            let unshipped = match resolution {
                aftersale::case::resolution::Resolution::RefundOnly => {
                    known.here(Location::Unshipped, None)
                }
                _ => 0,
            };
            let free = known.here(Location::Customer, None) + unshipped;
            hold!(53, available.steps() == free, "{available} free, the model says {free}");
        }
        Ok(())
    }

    /// Engine and model agree on the lines and the case of an event.
    fn same_books(&self, event: &Event) -> Held {
        for posting in event.fact.postings() {
            let Some(known) = self.model.lines.get(&posting.line) else { continue };
            let Some(balance) = self.order.quantities().balance(&posting.line) else { continue };
            for place in [posting.from, posting.to] {
                let (own, booked) = (balance.at(place), known.all(place));
                hold!(10, own == booked, "line {}: {own} {place}, not {booked}", posting.line);
            }
        }
        let Some(id) = event.fact.case() else { return Ok(()) };
        let Some(case) = self.order.case(id) else {
            return Err(Broken { invariant: 43, what: format!("no case {id}") });
        };
        let (own, told) = (case.status().to_string(), self.model.status(id));
        hold!(32, own == told, "case {id} is {own}, the model says {told}");
        let stage = aftersale::case::timer::stage(case);
        hold!(32, stage == self.model.stage(id), "case {id} waits for {stage:?}");
        Ok(())
    }

    /// Every book of the order, after a command.
    fn whole_books(&mut self) -> Held {
        self.units()?;
        self.money()?;
        self.invariant_7()?;
        self.invariant_55()?;
        for case in self.order.cases() {
            self.case_books(&case.id)?;
        }
        Ok(())
    }

    /// What was said about why stays as it was said; more may be added.
    fn invariant_55(&mut self) -> Held {
        let mut now = HashMap::new();
        for case in self.order.cases() {
            for line in &case.lines {
                let key = (case.id.clone(), line.line.clone());
                let said = line.reasons.assertions();
                hold!(55, !said.is_empty(), "{key:?}: no reason");
                let before = self.said.get(&key).map_or(&[][..], Vec::as_slice);
                hold!(55, said.starts_with(before), "{key:?}: {before:?} became {said:?}");
                now.insert(key, said.to_vec());
            }
        }
        self.said = now;
        Ok(())
    }

    fn units(&self) -> Held {
        for (id, line) in &self.model.lines {
            let Some(balance) = self.order.quantities().balance(id) else { continue };
            for &place in Location::ALL {
                let (own, booked) = (balance.at(place), line.all(place));
                hold!(10, own == booked, "line {id}: {own} {place}, not {booked}");
                hold!(1, own >= 0 || place == Location::Stock, "line {id}: {own} {place}");
            }
            hold!(
                10,
                balance.total() == line.made,
                "line {id}: {} of {}",
                balance.total(),
                line.made
            );
            let back = [Location::Unshipped, Location::HeldBack, Location::Cancelled];
            let outside = balance.total() - balance.over(&back);
            let shipped = if line.added {
                0
            } else {
                self.order.sale().line(id).unwrap().frozen.shipped.steps()
            };
            let settled = balance.over(model::PAID_FOR);
            for part in line.parts.values().filter(|_| !line.added) {
                let (gone, of) = (part.units_gone(), line.made.max(1));
                let once = part.units() * settled == gone * of;
                hold!(36, once, "line {id}: {settled} settled, {gone} paid for of {of}");
            }
            hold!(1, outside == shipped, "line {id}: {outside} outside, {shipped} shipped");
        }
        Ok(())
    }

    /// Whole kits that are back: the least over the parts, rounded down.
    fn invariant_7(&self) -> Held {
        for kit in self.order.sale().kits() {
            let mut kits = 0;
            let back = |line: &OrderLineId| -> i64 {
                let known = &self.model.lines[line];
                let places = [Location::Accepted, Location::Settled, Location::Recovered];
                places.iter().map(|place| known.all(*place)).sum()
            };
            // Kits are taken away one by one for as long as every part of one is there.
            while kit.parts.iter().all(|part| (kits + 1) * part.per_kit.steps() <= back(&part.line))
            {
                kits += 1;
            }
            let counted = self.order.kit_return(&kit.id).map(|kit| kit.kits);
            hold!(7, counted == Some(kits), "{counted:?} kits are back, the model says {kits}");
        }
        Ok(())
    }

    fn money(&self) -> Held {
        let money = self.order.money();
        let (mut back, mut captured) = (0, 0);
        for (id, purse) in &self.model.purses {
            let gone = money.refunded_on_tender(id).map(aftersale::money::Money::minor);
            hold!(11, gone == Some(purse.back), "tender {id}: {gone:?}, not {}", purse.back);
            back += purse.back + purse.outside;
            captured += purse.captured;
        }
        hold!(12, back <= captured, "{back} of {captured} went back");
        for (id, line) in &self.model.lines {
            if line.parts.is_empty() {
                continue;
            }
            let gone = money.refunded_on_line(id).map(aftersale::money::Money::minor);
            hold!(
                13,
                gone == Some(line.refunded()),
                "line {id}: {gone:?}, not {}",
                line.refunded()
            );
        }
        for (id, charge) in &self.model.charges {
            let left = money.left_on_charge(id).map(aftersale::money::Money::minor);
            hold!(13, left == Some(charge.left()), "charge {id}: {left:?}, not {}", charge.left());
        }
        Ok(())
    }

    fn case_books(&self, id: &aftersale::id::CaseId) -> Held {
        let (own, told) = (self.order.case(id).unwrap(), &self.model.cases[id]);
        for line in &own.lines {
            let known = &self.model.lines[&line.line];
            for &place in Location::ALL {
                if [Location::Customer, Location::Unshipped, Location::Stock].contains(&place) {
                    continue;
                }
                let (here, booked) = (line.held.at(place), known.here(place, Some(id)));
                hold!(10, here == booked, "{id}, line {}: {here} {place}, not {booked}", line.line);
            }
            let with_us = [Location::Received, Location::Accepted, Location::Rejected];
            let here: i64 = with_us.iter().map(|place| known.here(*place, Some(id))).sum();
            let came = told.came.get(&line.line).copied().unwrap_or(0);
            let went = told.went.get(&line.line).copied().unwrap_or(0);
            hold!(3, came == here + went, "{came} came, {here} here, {went} went");
            let ours = [Location::Accepted, Location::Settled, Location::Recovered];
            let ours: i64 = ours.iter().map(|place| known.here(*place, Some(id))).sum();
            let disposed: i64 = told
                .disposed
                .iter()
                .filter(|((of, _), _)| *of == line.line)
                .map(|(_, count)| count)
                .sum();
            hold!(3, disposed <= ours, "{id}, line {}: {disposed} disposed of {ours}", line.line);
        }
        let lines: BTreeMap<_, _> =
            own.lines.iter().map(|line| (line.line.clone(), line.requested.steps())).collect();
        hold!(4, lines == told.lines, "{id} asks for {lines:?}, the model says {:?}", told.lines);
        hold!(49, own.rules_version == told.version, "{id} changed its rules");
        for line in &own.lines {
            let Some(liability) = &line.liability else { continue };
            let sum: f64 = liability
                .shares()
                .map(|(_, share)| share.numerator() as f64 / share.denominator() as f64)
                .sum();
            hold!(56, (sum - 1.0).abs() < 1e-9, "liability of {sum}");
        }
        let clocks: BTreeMap<_, _> =
            told.clocks.iter().map(|(rule, clock)| (rule.clone(), clock.due)).collect();
        let running: BTreeMap<_, _> =
            own.timers.iter().map(|timer| (timer.rule.clone(), timer.due)).collect();
        hold!(47, clocks == running, "{id}: {running:?} run, the model says {clocks:?}");
        let running = own.running_review().map(|review| {
            let (pin, token) = (&review.standing.pin, &review.standing.token);
            (pin.version, token.state.clone())
        });
        let known = told.review.as_ref().filter(|_| told.is_under_review());
        let known = known.map(|review| (review.version, review.state.clone()));
        hold!(49, running == known, "{id}: the review is at {running:?}, the model says {known:?}");
        if told.end.is_none() {
            return Ok(());
        }
        let has = |place| self.model.lines.values().any(|line| line.here(place, Some(id)) > 0);
        // A replacement that was lost is nobody's claim: another one went out, or its value went back.
        let asked = |(line, _): &(&OrderLineId, &_)| told.lines.contains_key(*line);
        let lost = self.model.lines.iter().filter(asked);
        let lost = lost.map(|(_, line)| line.here(Location::Lost, Some(id))).sum::<i64>() > 0;
        hold!(2, !has(Location::Requested) && !has(Location::HeldBack), "ended {id} holds units");
        hold!(38, !has(Location::Intercepting), "ended {id} calls a parcel back");
        hold!(38, !has(Location::InTransit), "ended {id} has goods in transit");
        hold!(38, !has(Location::Received), "ended {id} has goods undecided");
        hold!(38, !has(Location::Accepted), "ended {id} has goods unsettled");
        hold!(39, !has(Location::Rejected), "ended {id} has refused goods with us");
        hold!(35, !lost, "ended {id} has a loss unsettled");
        let out = |sent: &Sent| !matches!(sent.state, Sending::Delivered | Sending::Cancelled);
        hold!(38, !told.replacements.values().any(out), "ended {id} has a replacement under way");
        let over = |state| matches!(state, Paying::Paid | Paying::Released);
        let unpaid = told.payments.values().any(|(_, state)| !over(*state));
        hold!(28, !unpaid, "ended {id} owes a payment");
        let open = told.replacements.values().any(|sent| sent.advance == Some(None));
        hold!(37, told.end == Some(End::Withdrawn) || !open, "ended {id} has an open advance");
        Ok(())
    }

    /// Units that are free can be asked for, all of them and no more.
    pub(crate) fn invariant_2(&self, now: Instant) -> Held {
        for (id, line) in &self.model.lines {
            let Some(slot) = self.order.quantities().slot(id) else { continue };
            let unit = self.order.quantities().unit(slot).unwrap();
            let free = line.here(Location::Customer, None);
            for (steps, enough) in [(free, true), (free + 1, false)] {
                if steps == 0 {
                    continue;
                }
                let probe = finish::opening(id, Quantity::new(steps, unit).unwrap());
                let context = Context { now, rules: self.rules };
                let answer = self.order.quote_among(&context, &self.people.roster(), &probe);
                let short = match &answer {
                    Ok(_) => false,
                    Err(refusal) => refusal
                        .obstacles
                        .iter()
                        .any(|obstacle| matches!(obstacle, Obstacle::NotEnough { .. })),
                };
                hold!(2, short != enough, "line {id}: {steps} of {free} free: {answer:?}");
            }
        }
        Ok(())
    }

    /// The stored events give the same order again, without rules and without a clock.
    pub(crate) fn invariant_43(&self) -> Held {
        let text = serde_json::to_string(&self.events).unwrap();
        let stored: Vec<Event> = serde_json::from_str(&text).unwrap();
        hold!(43, stored == self.events, "events do not read back");
        match AfterSale::replay(self.sale.clone(), &stored) {
            Ok(again) => hold!(43, again == self.order, "replay gives another order"),
            Err(error) => hold!(43, false, "replay: {error}"),
        }
        Ok(())
    }

    /// With ticks in between, at any times, the events are the same.
    pub(crate) fn invariant_47(&self, steps: &[Step], random: &mut Random) -> Held {
        let mut order = AfterSale::open(self.sale.clone());
        let mut events: Vec<Event> = Vec::new();
        let mut ticks = 0;
        let mut run = |order: &mut AfterSale, now: Instant, envelope: &Envelope| {
            let context = Context { now, rules: self.rules };
            if let Ok(decision) = order.apply_among(&context, &self.people.roster(), envelope) {
                events.extend(decision.events);
            }
        };
        for (place, step) in steps.iter().enumerate() {
            // A refused command leaves no trace, so that one of an earlier time may follow it; who looks in
            // between may not look ahead of that.
            let soonest = steps.iter().skip(place).map(|step| step.now).min().unwrap_or(step.now);
            while let Some(from) = order.last_at().filter(|last| *last < soonest)
                && ticks % 4 != 3
            {
                ticks += 1;
                let until = soonest.signed_duration_since(from).num_seconds();
                let between = add_seconds(from, random.within(0, until)).unwrap();
                run(&mut order, between, &finish::tick(&format!("between-{ticks}")));
            }
            ticks += 1;
            let mut envelope = step.envelope.clone();
            envelope.expected_version = None;
            run(&mut order, step.now, &envelope);
        }
        let last = steps.iter().map(|step| step.now).max().unwrap();
        run(&mut order, last, &finish::tick("at-the-end"));
        for (place, (seldom, often)) in self.events.iter().zip(&events).enumerate() {
            hold!(
                47,
                seldom == often,
                "event {place} is {often:?} when looked at often, else {seldom:?}"
            );
        }
        hold!(
            47,
            self.events.len() == events.len(),
            "looking more often changes the number of events"
        );
        Ok(())
    }
}

/// What a command names of a line is what its event moves.
fn asked_and_moved(envelope: &Envelope, decision: &Decision) -> Held {
    let (Command::SendBack { lines, .. }
    | Command::Accept { lines, .. }
    | Command::Reject { lines, .. }
    | Command::ReturnToCustomer { lines, .. }
    | Command::ReturnRepaired { lines, .. }) = &envelope.command
    else {
        return Ok(());
    };
    let own =
        |event: &&Event| event.cause.command == envelope.id && !event.fact.postings().is_empty();
    let Some(event) = decision.events.iter().find(own) else {
        hold!(3, decision.answer != Answer::Accepted, "nothing moved");
        return Ok(());
    };
    for asked in lines {
        let moved: i64 = event
            .fact
            .postings()
            .iter()
            .filter(|posting| posting.line == asked.line)
            .map(|posting| posting.quantity.steps())
            .sum();
        hold!(3, moved == asked.quantity.steps(), "{} asked, {moved} moved", asked.quantity);
    }
    Ok(())
}

/// A story told to its end: commands, then the probes of the end.
pub(crate) fn tell(
    sale: &Sale,
    rules: &Rules,
    steps: &[Step],
    seed: u64,
    coverage: &mut Coverage,
) -> Result<(), Broken> {
    let mut world = World::new(sale, rules);
    world.lists = seed.is_multiple_of(LISTING);
    for step in steps {
        let _ = world.give(step, coverage)?;
    }
    end(&mut world, steps, seed, coverage)
}

fn end(
    world: &mut World<'_>,
    steps: &[Step],
    seed: u64,
    coverage: &mut Coverage,
) -> Result<(), Broken> {
    let now = steps.iter().map(|step| step.now).max().unwrap();
    let mut random = Random(seed ^ 0xABCD);
    let last = Step { now, envelope: finish::tick("at-the-end") };
    let _ = world.give(&last, coverage)?;
    world.invariant_2(now)?;
    let plain = steps.iter().all(|step| step.envelope.expected_version.is_none());
    if seed.is_multiple_of(4) && plain {
        world.invariant_47(steps, &mut random)?;
    }
    finish::invariant_31(world, now, coverage)?;
    world.invariant_43()
}

/// A random story from a seed.
pub(crate) fn story<'a>(
    seed: u64,
    all: &'a [(String, Rules)],
    coverage: &mut Coverage,
) -> (Sale, &'a Rules, Vec<Step>, Result<(), Broken>) {
    let mut random = Random(seed.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ 0x5EED);
    let (name, rules) = &all[(seed % all.len() as u64) as usize];
    *coverage.practices.entry(name.clone()).or_default() += 1;
    coverage.stories += 1;
    let opened = match (name.as_str(), random.within(0, 2)) {
        ("jd", 0 | 1) => "2019-01-26T01:00:00Z",
        (_, 0) => "2026-09-28T08:00:00Z",
        _ => "2026-03-10T09:00:00Z",
    };
    let mut now: Instant = opened.parse().unwrap();
    let sale = sales::sale(&mut random, now);
    let versioned = random.chance(40);
    let length = random.within(8, 45);
    let mut world = World::new(&sale, rules);
    world.lists = seed.is_multiple_of(LISTING);
    let mut steps: Vec<Step> = Vec::new();
    let mut teller =
        commands::Teller { random: &mut random, count: 0, rules, people: People::new() };
    for _ in 0..length {
        now = later(teller.random, &world.order, now);
        let repeat = !steps.is_empty() && teller.random.chance(4);
        let mut envelope = if repeat {
            let past = teller.random.within(0, steps.len() as i64 - 1) as usize;
            let mut past = steps[past].envelope.clone();
            if teller.random.chance(30) {
                past.command = Command::Tick;
            }
            past
        } else {
            teller.next(&world.order, now)
        };
        if !versioned {
            envelope.expected_version = None;
        }
        let early = teller.random.chance(1);
        let at = if early { add_seconds(now, -90_000).unwrap() } else { now };
        let step = Step { now: at, envelope };
        steps.push(step.clone());
        if let Err(broken) = world.give(&step, coverage) {
            return (sale, rules, steps, Err(broken));
        }
    }
    let end = end(&mut world, &steps, seed, coverage);
    (sale, rules, steps, end)
}

/// Mostly minutes or hours on, often to the very second at which a timer is due.
fn later(random: &mut Random, order: &AfterSale, now: Instant) -> Instant {
    let wake = order.next_wakeup().filter(|due| *due > now);
    let by = match (wake, random.within(0, 19)) {
        (Some(due), 0 | 1) => return due,
        (Some(due), 2) => return add_seconds(due, -1).unwrap().max(now),
        (_, 3) => 86_400 * random.within(1, 4),
        (_, 4..=8) => 3_600 * random.within(1, 9),
        (_, 9) => 0,
        _ => random.within(1, 900),
    };
    add_seconds(now, by).unwrap()
}

/// Leaves commands out as long as the same invariant stays broken.
pub(crate) fn shrink(
    sale: &Sale,
    rules: &Rules,
    steps: Vec<Step>,
    seed: u64,
    invariant: u16,
) -> (Vec<Step>, Broken) {
    let breaks = |steps: &[Step]| {
        if steps.is_empty() {
            return None;
        }
        let found = tell(sale, rules, steps, seed, &mut Coverage::default()).err();
        found.filter(|broken| broken.invariant == invariant)
    };
    let mut steps = steps;
    let mut found = breaks(&steps);
    let mut size = steps.len() / 2;
    while size > 0 && found.is_some() {
        let mut at = 0;
        while at < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + size).min(steps.len()));
            match breaks(&fewer) {
                Some(broken) => {
                    (steps, found) = (fewer, Some(broken));
                }
                None => at += size,
            }
        }
        size /= 2;
    }
    let what = "only once: the story does not repeat".to_owned();
    (steps, found.unwrap_or(Broken { invariant, what }))
}
