//! Every matched credit as a case on the order it corrects: opened, judged, settled, paid, closed.

use std::collections::BTreeMap;
use std::error::Error;

use aftersale::case::actor::{Actor, Role};
use aftersale::case::command::{Command, Envelope};
use aftersale::case::duty::DutyAct;
use aftersale::case::event::{Event, EventFact};
use aftersale::case::ground::Ground;
use aftersale::case::line::RequestedLine;
use aftersale::case::refund::{PaymentResult, RefundLine};
use aftersale::case::resolution::Resolution;
use aftersale::case::{AfterSale, Context, Decision};
use aftersale::explain::Finding;
use aftersale::id::{ActorId, CaseId, CommandId};
use aftersale::money::Money;
use aftersale::policy::facts::LineFacts;
use aftersale::preset::reasons::TAXONOMY;
use aftersale::quantity::Quantity;
use aftersale::reason::taxonomy::Taxonomy;
use aftersale::rules::Rules;
use aftersale::sale::Sale;
use aftersale::settlement::request::Claim;

use super::verdicts::Judge;
use super::{Shop, line_id};
use crate::figures::Figures;
use crate::matching::{Credit, Matched, Used, reduction};
use crate::read::Row;

/// What became of the cases.
#[derive(Debug, Default)]
pub struct Cases {
    /// Orders with at least one case.
    pub orders: usize,
    /// By fate.
    pub fates: BTreeMap<Fate, Totals>,
    /// Events of all orders; replaying them gave the same state for each.
    pub events: usize,
    /// Cases in which the engine refunds what the seller credited, to the penny.
    pub equal: usize,
    /// What stood in the way where a step was refused for a cause other than the policy.
    pub obstacles: BTreeMap<String, usize>,
    /// The refund that differs most from the credit note, in full.
    pub sample: Option<Settled>,
}

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Permitted by the policy and refunded.
    Refunded,
    /// The difference in price refunded, goods kept.
    Reduced,
    /// Permitted, with nothing to pay: sold again at the same price or higher.
    NothingDue,
    /// Declined by the policy.
    Declined,
    /// Refused by the engine for another cause.
    Refused,
}

impl Fate {
    /// Its name on the report.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refunded => "permitted and refunded",
            Self::Reduced => "price reduction refunded, goods kept",
            Self::NothingDue => "sold again at no lower price, nothing due",
            Self::Declined => "declined by the policy",
            Self::Refused => "refused for another cause",
        }
    }
}

/// Cases with what the seller credited and what the engine refunds, in thousandths of a pound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many.
    pub cases: i128,
    /// What the credit notes say for these units.
    pub credited: i128,
    /// What the engine refunds for them.
    pub refunded: i128,
}

/// A settlement with its explanation.
#[derive(Debug)]
pub struct Settled {
    /// Position in the list of credits.
    pub credit: usize,
    /// The order.
    pub order: String,
    /// Units.
    pub units: i64,
    /// What the credit note gives for these units, in thousandths of a pound.
    pub credited: i128,
    /// What the engine refunds, in thousandths of a pound.
    pub refunded: i128,
    /// How it comes about.
    pub findings: Vec<Finding>,
}

/// One credit on one order.
struct Task<'a> {
    position: usize,
    credit: &'a Credit,
    invoice: u32,
    used: Vec<Used>,
    /// When it is decided: with the note, or when the goods are sold again.
    at: i64,
}

/// An order at work.
struct Order {
    sale: Sale,
    live: AfterSale,
    events: Vec<Event>,
}

/// The desk that gives the commands.
struct Desk<'a> {
    shop: &'a Shop<'a>,
    judge: &'a Judge,
    rules: Rules,
    agent: Actor,
    finance: Actor,
    orders: BTreeMap<u32, Order>,
    commands: u32,
}

/// The invoices whose sales the counted credits use.
pub fn invoices(shop: &Shop<'_>, matched: &Matched, figures: &Figures) -> Vec<bool> {
    let mut wanted = vec![false; shop.rows.len()];
    let counted = figures.counted.iter().map(|position| &matched.credits[*position]);
    for used in counted.flat_map(|credit| &credit.used) {
        wanted[shop.book.rows[used.row].invoice as usize] = true;
    }
    wanted
}

/// Runs all cases of the slice in order of time.
///
/// # Errors
///
/// When rules or a text are outside what the engine takes, or a replay differs from the live state.
pub fn cases(
    shop: &Shop<'_>,
    judge: &Judge,
    matched: &Matched,
    figures: &Figures,
    sales: BTreeMap<usize, Sale>,
) -> Result<Cases, Box<dyn Error>> {
    let taxonomy: Taxonomy = serde_json::from_str(TAXONOMY)?;
    let rules = Rules::new(1, taxonomy, judge.policies().clone(), judge.place().clone());
    let agent = Actor { id: ActorId::new("credit-note-import")?, role: Role::Agent };
    let finance = Actor { id: ActorId::new("credit-note-import")?, role: Role::Finance };
    let mut orders = BTreeMap::new();
    for (invoice, sale) in sales {
        let live = AfterSale::open(sale.clone());
        orders.insert(u32::try_from(invoice)?, Order { sale, live, events: Vec::new() });
    }
    let mut desk = Desk { shop, judge, rules, agent, finance, orders, commands: 0 };
    let mut all = Cases::default();
    for task in tasks(shop, matched, figures) {
        desk.carry_out(&task, &mut all)?;
    }
    for order in desk.orders.values().filter(|order| !order.events.is_empty()) {
        all.orders += 1;
        all.events += order.events.len();
        if AfterSale::replay(order.sale.clone(), &order.events)? != order.live {
            return Err(format!("order {} replays to another state", order.sale.order()).into());
        }
    }
    Ok(all)
}

fn tasks<'a>(shop: &Shop<'_>, matched: &'a Matched, figures: &Figures) -> Vec<Task<'a>> {
    let mut tasks = Vec::new();
    for position in &figures.counted {
        let credit = &matched.credits[*position];
        let mut by_invoice: BTreeMap<u32, Vec<Used>> = BTreeMap::new();
        for used in &credit.used {
            by_invoice.entry(shop.book.rows[used.row].invoice).or_default().push(*used);
        }
        let last = credit.sold_again.last().copied().unwrap_or(credit.row);
        let at = shop.book.rows[last].at;
        let each = by_invoice.into_iter();
        tasks.extend(each.map(|(invoice, used)| Task {
            position: *position,
            credit,
            invoice,
            used,
            at,
        }));
    }
    tasks.sort_by_key(|task| (task.at, task.position, task.invoice));
    tasks
}

impl Desk<'_> {
    /// Opens a case, asks for permission, settles or declines, closes.
    fn carry_out(&mut self, task: &Task<'_>, all: &mut Cases) -> Result<(), Box<dyn Error>> {
        let row: Row = self.shop.book.rows[task.credit.row];
        let units: i64 = task.used.iter().map(|used| used.quantity).sum();
        let mut sum = Totals { cases: 1, credited: i128::from(units * row.price), refunded: 0 };
        let note = self.shop.book.invoices.text(row.invoice);
        let case = CaseId::new(format!("{note}-{}", task.position + 1))?;
        let mut lines = Vec::new();
        for used in &task.used {
            lines.push(self.requested(task.credit, used)?);
        }
        let reduced = !task.credit.sold_again.is_empty();
        let resolution =
            if reduced { Resolution::PriceProtection } else { Resolution::InstantRefund };
        let first = lines.first().map(|line| line.line.clone());
        let open = Command::OpenCase { case: case.clone(), resolution, lines };
        let fate = match self.give(task, open)? {
            Err(why) => {
                *all.obstacles.entry(why).or_default() += 1;
                Fate::Refused
            }
            Ok(_) => {
                let ground = Ground::Policy;
                let permitted =
                    self.give(task, Command::Authorize { case: case.clone(), ground })?;
                if permitted.is_err() {
                    let note = "outside the voluntary policy".to_owned();
                    self.must(task, Command::Decline { case, note })?;
                    Fate::Declined
                } else {
                    let due = reduction(self.shop.book, task.credit) * i128::from(units)
                        / i128::from(-row.quantity);
                    let claims = match first.filter(|_| reduced) {
                        Some(line) => {
                            let claim = Claim::Amount(Money::from_wide(due, self.shop.currency)?);
                            vec![RefundLine { line, claim }]
                        }
                        None => Vec::new(),
                    };
                    if reduced && due <= 0 {
                        self.must(task, Command::Close { case })?;
                        Fate::NothingDue
                    } else {
                        self.settle(task, &case, claims, units, &mut sum, all)?
                    }
                }
            }
        };
        let held = all.fates.entry(fate).or_default();
        held.cases += sum.cases;
        held.credited += sum.credited;
        held.refunded += sum.refunded;
        Ok(())
    }

    fn settle(
        &mut self,
        task: &Task<'_>,
        case: &CaseId,
        lines: Vec<RefundLine>,
        units: i64,
        sum: &mut Totals,
        all: &mut Cases,
    ) -> Result<Fate, Box<dyn Error>> {
        let reduced = !lines.is_empty();
        let refund = Command::Refund { case: case.clone(), lines, terms: Box::default() };
        let decision = match self.give(task, refund)? {
            Ok(decision) => decision,
            Err(why) => {
                *all.obstacles.entry(why).or_default() += 1;
                return Ok(Fate::Refused);
            }
        };
        for event in &decision.events {
            if let EventFact::RefundPlanned { settlement, .. } = &event.fact {
                sum.refunded += i128::from(settlement.total.minor());
            }
        }
        for duty in &decision.duties {
            if let DutyAct::Pay { obligation, payment } = &duty.act {
                let reference = case.to_string();
                let result = PaymentResult::Paid { reference };
                let (case, obligation, payment) = (case.clone(), *obligation, payment.number);
                self.must(task, Command::RecordPayment { case, obligation, payment, result })?;
            }
        }
        self.must(task, Command::Close { case: case.clone() })?;
        if reduced {
            return Ok(Fate::Reduced);
        }
        if sum.refunded == sum.credited {
            all.equal += 1;
        }
        let gap = |refunded: i128, credited: i128| (refunded - credited).abs();
        let most = all.sample.as_ref().map_or(0, |held| gap(held.refunded, held.credited));
        if gap(sum.refunded, sum.credited) > most {
            let order = self.shop.book.invoices.text(task.invoice).to_owned();
            let findings = decision.findings;
            all.sample = Some(Settled {
                credit: task.position,
                order,
                units,
                credited: sum.credited,
                refunded: sum.refunded,
                findings,
            });
        }
        Ok(Fate::Refunded)
    }

    fn requested(&self, credit: &Credit, used: &Used) -> Result<RequestedLine, Box<dyn Error>> {
        let invoice = self.shop.book.rows[used.row].invoice as usize;
        let number = self.shop.rows[invoice].iter().position(|row| *row == used.row);
        Ok(RequestedLine {
            line: line_id(number.ok_or("a matched row is on its invoice")?)?,
            quantity: Quantity::pieces(used.quantity)?,
            serials: Default::default(),
            // The file never says why.
            reason: "OTH.UNKNOWN".parse()?,
            note: None,
            facts: LineFacts { more: self.judge.known(credit), ..LineFacts::default() },
        })
    }

    /// Gives a command; a refusal comes back as its text.
    fn give(
        &mut self,
        task: &Task<'_>,
        command: Command,
    ) -> Result<Result<Decision, String>, Box<dyn Error>> {
        self.commands += 1;
        let id = CommandId::new(format!("command-{}", self.commands))?;
        let pays = matches!(command, Command::Refund { .. } | Command::RecordPayment { .. });
        let actor = if pays { self.finance.clone() } else { self.agent.clone() };
        let envelope = Envelope { id, expected_version: None, actor, command };
        let local =
            chrono::DateTime::from_timestamp(task.at, 0).ok_or("a time of the file")?.naive_utc();
        let context = Context { now: self.shop.instant(local)?, rules: &self.rules };
        let order = self.orders.get_mut(&task.invoice).ok_or("the sale was frozen")?;
        Ok(match order.live.apply(&context, &envelope) {
            Ok(decision) => {
                order.events.extend(decision.events.iter().cloned());
                Ok(decision)
            }
            Err(refusal) => Err(refusal.to_string()),
        })
    }

    /// Gives a command that nothing should stand in the way of.
    fn must(&mut self, task: &Task<'_>, command: Command) -> Result<Decision, Box<dyn Error>> {
        Ok(self.give(task, command)??)
    }
}
