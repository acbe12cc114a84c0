//! A returns desk for tests: one order, a clock, rules, and short ways to give commands.
#![allow(dead_code, reason = "every user of this module needs a part of it")]

use std::sync::OnceLock;

use aftersale::calendar::working_days::WorkingDays;
use aftersale::case::actor::{Actor, Role};
use aftersale::case::command::{Command, Envelope};
use aftersale::case::event::Event;
use aftersale::case::ground::{AcceptanceBasis, Ground};
use aftersale::case::liability::{Liability, Party};
use aftersale::case::line::{LineQuantity, ReceivedLine, RequestedLine};
use aftersale::case::refund::{PaymentResult, RefundLine, RefundTerms};
use aftersale::case::refusal::Refusal;
use aftersale::case::replacement::ReplacementItem;
use aftersale::case::resolution::Resolution;
use aftersale::case::review::Roster;
use aftersale::case::{AfterSale, Context, Decision};
use aftersale::id::{ActorId, CaseId, CommandId, OrderLineId, ParcelId};
use aftersale::money::Money;
use aftersale::money::currency::Currency;
use aftersale::number::Ratio;
use aftersale::policy::deadline::Place;
use aftersale::policy::facts::LineFacts;
use aftersale::policy::set::PolicySet;
use aftersale::practice::Practice;
use aftersale::preset::markets::Market;
use aftersale::preset::policies::STORE;
use aftersale::preset::reasons::TAXONOMY;
use aftersale::quantity::Quantity;
use aftersale::reason::ReasonCode;
use aftersale::reason::taxonomy::Taxonomy;
use aftersale::rules::Rules;
use aftersale::sale::{Paid, Sale};
use aftersale::settlement::request::{Claim, OutgoingPrice};
use aftersale::time::{Instant, add_seconds};

/// The shipped reasons and a voluntary store policy of 30 days, counted in London.
pub fn rules() -> &'static Rules {
    static RULES: OnceLock<Rules> = OnceLock::new();
    RULES.get_or_init(store_rules)
}

fn store_rules() -> Rules {
    let taxonomy: Taxonomy = serde_json::from_str(TAXONOMY).unwrap();
    let policies: PolicySet = serde_json::from_str(&format!("[{STORE}]")).unwrap();
    let place = Place::new("Europe/London".parse().unwrap(), WorkingDays::weekdays());
    Rules::new(1, taxonomy, policies, place)
}

/// The same under a practice: its timers, pauses and limits.
pub fn practiced(practice: Practice) -> Rules {
    rules().clone().with_practice(practice)
}

/// The same under the practice of a marketplace.
pub fn market(text: &str) -> Rules {
    let market: Market = serde_json::from_str(text).unwrap();
    practiced(market.practice().clone())
}

pub fn pounds(text: &str) -> Money {
    Money::parse(text, Currency::GBP).unwrap()
}

pub fn parcel(id: &str) -> ParcelId {
    ParcelId::new(id).unwrap()
}

/// One piece of another article that goes out for a line, at a price of its own or even.
pub fn item(new: &str, replaces: &str, price: Option<&str>) -> ReplacementItem {
    let own = |gross: &str| OutgoingPrice::Own(Paid { gross: pounds(gross), taxes: vec![] });
    ReplacementItem {
        line: line(new),
        replaces: line(replaces),
        sku: "OTHER".parse().unwrap(),
        quantity: pieces(1),
        price: price.map(own),
    }
}

/// What stands in the way of a command that is refused.
pub fn obstacles<T: std::fmt::Debug, O>(result: Result<T, Refusal<O>>) -> Vec<O>
where
    Refusal<O>: std::fmt::Debug,
{
    result.expect_err("the command should be refused").obstacles
}

/// One order line: id, quantity, shipped quantity, unit price.
pub type LineSpec<'a> = (&'a str, i64, i64, &'a str);

/// A sale in pounds, tax included at 20 %, paid by one card, placed and delivered on 2 March 2026.
pub fn sale(lines: &[LineSpec<'_>]) -> Sale {
    let minor = |price: &str| {
        let (pounds, pence) = price.split_once('.').unwrap();
        pounds.parse::<i64>().unwrap() * 100 + pence.parse::<i64>().unwrap()
    };
    let total: i64 = lines.iter().map(|line| minor(line.3) * line.1).sum();
    let total = format!("{}.{:02}", total / 100, total % 100);
    let sold: Vec<String> = lines
        .iter()
        .map(|(id, ordered, _, price)| {
            format!(
                r#"{{"id":"{id}","sku":"SKU-{id}","quantity":{{"amount":"{ordered}","unit":"pcs"}},
                    "unit_price":"{price}","taxes":[{{"code":"VAT","rate":"0.2"}}]}}"#
            )
        })
        .collect();
    let shipped: Vec<String> = lines
        .iter()
        .filter(|line| line.2 > 0)
        .map(|(id, _, shipped, _)| {
            format!(r#"{{"line":"{id}","quantity":{{"amount":"{shipped}","unit":"pcs"}}}}"#)
        })
        .collect();
    let text = format!(
        r#"{{"order":"SO-1","currency":"GBP","placed_at":"2026-03-02T09:00:00Z",
            "prices":"tax_included","lines":[{}],
            "tenders":[{{"id":"card","kind":"card",
                         "captured":{{"amount":"{total}","currency":"GBP"}}}}],
            "shipments":[{{"parcel":"OUT-1","shipped_at":"2026-03-02T12:00:00Z",
                           "delivered_at":"2026-03-03T12:00:00Z","lines":[{}]}}],
            "total":{{"amount":"{total}","currency":"GBP"}}}}"#,
        sold.join(","),
        shipped.join(","),
    );
    serde_json::from_str(&text).unwrap()
}

/// One order at the desk, with everything that happened so far.
#[derive(Clone)]
pub struct Desk {
    pub rules: &'static Rules,
    pub sale: Sale,
    pub order: AfterSale,
    pub now: Instant,
    pub events: Vec<Event>,
    pub sent: Vec<Envelope>,
    commands: u32,
}

pub fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

pub fn line(id: &str) -> OrderLineId {
    OrderLineId::new(id).unwrap()
}

pub fn case(id: &str) -> CaseId {
    CaseId::new(id).unwrap()
}

pub fn actor(role: Role) -> Actor {
    Actor { id: ActorId::new(format!("{role}-1")).unwrap(), role }
}

pub fn pieces(count: i64) -> Quantity {
    Quantity::pieces(count).unwrap()
}

pub fn wanted(id: &str, count: i64) -> RequestedLine {
    RequestedLine {
        line: line(id),
        quantity: pieces(count),
        serials: Default::default(),
        reason: "CUS.CHANGED_MIND".parse::<ReasonCode>().unwrap(),
        note: None,
        facts: LineFacts::default(),
    }
}

pub fn units(lines: &[(&str, i64)]) -> Vec<LineQuantity> {
    lines
        .iter()
        .map(|(id, count)| LineQuantity { line: line(id), quantity: pieces(*count) })
        .collect()
}

impl Desk {
    pub fn new(sale: Sale) -> Self {
        let order = AfterSale::open(sale.clone());
        let now = at("2026-03-10T09:00:00Z");
        Self { rules: rules(), sale, order, now, events: Vec::new(), sent: Vec::new(), commands: 0 }
    }

    /// An order under other rules.
    pub fn under(rules: Rules, sale: Sale) -> Self {
        let mut desk = Self::new(sale);
        desk.change_rules(rules);
        desk
    }

    /// Other rules from now on. They live as long as the test does.
    pub fn change_rules(&mut self, rules: Rules) {
        self.rules = Box::leak(Box::new(rules));
    }

    pub fn envelope(&mut self, role: Role, command: Command) -> Envelope {
        self.commands += 1;
        let id = CommandId::new(format!("cmd-{}", self.commands)).unwrap();
        Envelope { id, expected_version: None, actor: actor(role), command }
    }

    pub fn send(&mut self, envelope: &Envelope) -> Result<Decision, Refusal> {
        let context = Context { now: self.now, rules: self.rules };
        let decision = self.order.apply(&context, envelope)?;
        self.events.extend(decision.events.iter().cloned());
        self.sent.push(envelope.clone());
        self.now = add_seconds(self.now, 60).unwrap();
        Ok(decision)
    }

    /// The same with people, for cases that go through a review.
    pub fn send_among(
        &mut self,
        roster: &Roster<'_>,
        envelope: &Envelope,
    ) -> Result<Decision, Refusal> {
        let context = Context { now: self.now, rules: self.rules };
        let decision = self.order.apply_among(&context, roster, envelope)?;
        self.events.extend(decision.events.iter().cloned());
        self.sent.push(envelope.clone());
        self.now = add_seconds(self.now, 60).unwrap();
        Ok(decision)
    }

    pub fn give(&mut self, role: Role, command: Command) -> Result<Decision, Refusal> {
        let envelope = self.envelope(role, command);
        self.send(&envelope)
    }

    pub fn open(&mut self, id: &str, lines: &[(&str, i64)]) -> Result<Decision, Refusal> {
        self.open_as(id, Resolution::ReturnAndRefund, lines)
    }

    pub fn open_as(
        &mut self,
        id: &str,
        resolution: Resolution,
        lines: &[(&str, i64)],
    ) -> Result<Decision, Refusal> {
        let lines = lines.iter().map(|(id, count)| wanted(id, *count)).collect();
        self.give(Role::Customer, Command::OpenCase { case: case(id), resolution, lines })
    }

    pub fn authorize(&mut self, id: &str) -> Result<Decision, Refusal> {
        let ground = Ground::Policy;
        self.give(Role::Agent, Command::Authorize { case: case(id), ground })
    }

    pub fn receive(&mut self, id: &str, lines: &[(&str, i64)]) -> Result<Decision, Refusal> {
        self.receive_from(id, None, lines)
    }

    /// A receipt from a parcel, or from none that is known.
    pub fn receive_from(
        &mut self,
        id: &str,
        parcel: Option<ParcelId>,
        lines: &[(&str, i64)],
    ) -> Result<Decision, Refusal> {
        let lines = lines
            .iter()
            .map(|(id, count)| ReceivedLine {
                line: line(id),
                quantity: pieces(*count),
                serials: Default::default(),
                lots: Default::default(),
            })
            .collect();
        let (case, unexpected) = (case(id), Vec::new());
        self.give(Role::Warehouse, Command::Receive { case, parcel, lines, unexpected })
    }

    /// The seller permits a case for one line, the line is settled by an amount, paid and closed.
    pub fn price_reduction(&mut self, id: &str, resolution: Resolution, amount: &str) -> Decision {
        self.open_as(id, resolution, &[("1", 1)]).unwrap();
        self.authorize(id).unwrap();
        let decision = self.refund_amount(id, "1", amount).unwrap();
        self.pay(id, 1).unwrap();
        self.close(id).unwrap();
        decision
    }

    /// Decides that one party alone is liable for the first line.
    pub fn attribute(&mut self, id: &str, party: Party) {
        let liability = Liability::new([(party, Ratio::ONE)], "the carrier's scan", []).unwrap();
        let (case, line) = (case(id), line("1"));
        let command = Command::AttributeLiability { case, line, liability };
        self.give(Role::Supervisor, command).unwrap();
    }

    pub fn accept(&mut self, id: &str, lines: &[(&str, i64)]) -> Result<Decision, Refusal> {
        let (case, lines, basis) = (case(id), units(lines), AcceptanceBasis::Inspected);
        self.give(Role::Inspector, Command::Accept { case, lines, basis })
    }

    pub fn reject(&mut self, id: &str, lines: &[(&str, i64)]) -> Result<Decision, Refusal> {
        let (case, lines, note) = (case(id), units(lines), "worn".to_owned());
        self.give(Role::Inspector, Command::Reject { case, lines, note })
    }

    pub fn refund(&mut self, id: &str) -> Result<Decision, Refusal> {
        let (case, lines, terms) = (case(id), Vec::new(), Box::default());
        self.give(Role::Finance, Command::Refund { case, lines, terms })
    }

    pub fn refund_amount(&mut self, id: &str, of: &str, amount: &str) -> Result<Decision, Refusal> {
        let amount = aftersale::money::Money::parse(amount, self.sale.currency()).unwrap();
        let lines = vec![RefundLine { line: line(of), claim: Claim::Amount(amount) }];
        let (case, terms) = (case(id), Box::<RefundTerms>::default());
        self.give(Role::Finance, Command::Refund { case, lines, terms })
    }

    pub fn pay(&mut self, id: &str, obligation: u32) -> Result<Decision, Refusal> {
        let result = PaymentResult::Paid { reference: "bank-1".to_owned() };
        self.report(id, obligation, result)
    }

    pub fn report(
        &mut self,
        id: &str,
        obligation: u32,
        result: PaymentResult,
    ) -> Result<Decision, Refusal> {
        let command = Command::RecordPayment { case: case(id), obligation, payment: 1, result };
        self.give(Role::System, command)
    }

    pub fn close(&mut self, id: &str) -> Result<Decision, Refusal> {
        self.give(Role::Agent, Command::Close { case: case(id) })
    }

    /// The whole way of a plain return, up to the refund, without paying.
    pub fn whole_return(&mut self, id: &str, lines: &[(&str, i64)]) -> Result<Decision, Refusal> {
        self.open(id, lines)?;
        self.authorize(id)?;
        self.receive(id, lines)?;
        self.accept(id, lines)?;
        self.refund(id)
    }

    /// What is stored gives the live order again: through text, as a host keeps it.
    pub fn replays(&self) {
        let text = serde_json::to_string(&self.events).unwrap();
        let stored: Vec<Event> = serde_json::from_str(&text).unwrap();
        assert_eq!(stored, self.events);
        let replayed = AfterSale::replay(self.sale.clone(), &stored);
        assert_eq!(replayed.as_ref(), Ok(&self.order), "a replayed order is the live one");
    }

    pub fn status(&self, id: &str) -> String {
        self.order.case(&case(id)).unwrap().status().to_string()
    }
}
