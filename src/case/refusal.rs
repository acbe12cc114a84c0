//! Why a command is refused: every rule that stands in the way, with its numbers.

pub mod claim;
pub mod parcel;
pub mod review;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use self::claim::ClaimObstacle;
use self::parcel::ParcelObstacle;
use self::review::ReviewObstacle;
use super::actor::Role;
use super::ledger::Location;
use super::open_matter::OpenMatter;
use super::status::CaseStatus;
use crate::feedback::survey::{AnswerError, SurveyId};
use crate::id::{ActorId, CaseId, CommandId, OrderLineId, ParcelId, SerialId};
use crate::money::MoneyError;
use crate::money::currency::Currency;
use crate::quantity::Quantity;
use crate::reason::history::AssertionFault;
use crate::sale::fault::{Place, SaleRefused};
use crate::settlement::refusal::SettlementRefused;
use crate::time::Instant;

/// A refused command, with everything that stands in the way. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Refusal<O = Obstacle> {
    /// The obstacles, at least one, in the order in which the rules were asked.
    pub obstacles: Vec<O>,
}

impl<O: fmt::Display> fmt::Display for Refusal<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, obstacle) in self.obstacles.iter().enumerate() {
            write!(f, "{}{obstacle}", if position == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl<O> From<O> for Refusal<O> {
    fn from(obstacle: O) -> Self {
        Self { obstacles: alloc::vec![obstacle] }
    }
}

/// One fact that stands in the way of a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Obstacle {
    /// The order has changed since the sender read it.
    #[error("the order is at version {found}, the command was meant for version {expected}")]
    Stale {
        /// The version the sender saw.
        expected: u64,
        /// The version now.
        found: u64,
    },
    /// The id was used for another command.
    #[error("command id {id} was used for another command already")]
    CommandConflict {
        /// The id.
        id: CommandId,
    },
    /// The time given is before the last event.
    #[error("the time {now} is before the last event of the order at {last}")]
    TimeReversed {
        /// The time given.
        now: Instant,
        /// The time of the last event.
        last: Instant,
    },
    /// No such case.
    #[error("there is no case {case} on this order")]
    UnknownCase {
        /// The case.
        case: CaseId,
    },
    /// The case exists already.
    #[error("case {case} exists already")]
    CaseExists {
        /// The case.
        case: CaseId,
    },
    /// The order has as many cases as it may have.
    #[error("the order has {found} cases already, at most {max} are allowed")]
    TooManyCases {
        /// How many there are.
        found: usize,
        /// The most.
        max: usize,
    },
    /// The actor's role may not do this.
    #[error("the role `{role}` may not {act}")]
    NotPermitted {
        /// The role.
        role: Role,
        /// What was attempted, in words.
        act: &'static str,
    },
    /// The case is in a state that does not admit the command.
    #[error("the case is {status}; {act} is not possible now")]
    WrongStatus {
        /// The status.
        status: CaseStatus,
        /// What was attempted, in words.
        act: &'static str,
    },
    /// A request without lines.
    #[error("no line is named")]
    NoLines,
    /// More entries than one command may have.
    #[error("{found} {what} are named, at most {max} are allowed")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many.
        found: usize,
        /// The most.
        max: usize,
    },
    /// A text is too long.
    #[error("the {what} has {bytes} bytes, at most {max} are allowed")]
    TextTooLong {
        /// What the text is.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The most.
        max: usize,
    },
    /// The order has no such line.
    #[error("the order has no line {line}")]
    UnknownLine {
        /// The line.
        line: OrderLineId,
    },
    /// The case has no such line.
    #[error("line {line} is not part of the case")]
    NotInCase {
        /// The line.
        line: OrderLineId,
    },
    /// One line is named twice in one command.
    #[error("line {line} is named twice")]
    LineTwice {
        /// The line.
        line: OrderLineId,
    },
    /// The quantity is zero.
    #[error("line {line}: the quantity is zero")]
    ZeroQuantity {
        /// The line.
        line: OrderLineId,
    },
    /// The quantity is counted in another unit than the line.
    #[error("line {line}: {quantity} is not counted in the unit of the line")]
    WrongUnit {
        /// The line.
        line: OrderLineId,
        /// The quantity.
        quantity: Quantity,
    },
    /// More is asked for than there is.
    #[error("line {line}: {asked} asked for, {available} {}", place(*.location))]
    NotEnough {
        /// The line.
        line: OrderLineId,
        /// What was asked for.
        asked: Quantity,
        /// What there is.
        available: Quantity,
        /// Where.
        location: Location,
    },
    /// More serial numbers than units.
    #[error("line {line}: {serials} serial numbers for {quantity}")]
    TooManySerials {
        /// The line.
        line: OrderLineId,
        /// How many serial numbers.
        serials: usize,
        /// The quantity.
        quantity: Quantity,
    },
    /// The unit was not shipped on this line.
    #[error("line {line}: serial number {serial} was not shipped on it")]
    SerialNotShipped {
        /// The line.
        line: OrderLineId,
        /// The serial number.
        serial: SerialId,
    },
    /// The unit is in another case, or came back already.
    #[error("serial number {serial} is in case {case} already")]
    SerialInUse {
        /// The serial number.
        serial: SerialId,
        /// The case that has it.
        case: CaseId,
    },
    /// The reason cannot be recorded.
    #[error("line {line}: {fault}")]
    Reason {
        /// The line.
        line: OrderLineId,
        /// What stands against it.
        fault: AssertionFault,
    },
    /// The policies do not entitle the customer; goodwill may.
    #[error("line {line}: no policy entitles the customer to it; goodwill can permit it")]
    NotEntitled {
        /// The line.
        line: OrderLineId,
    },
    /// Nothing is accepted that is not settled.
    #[error("nothing is left to settle")]
    NothingToSettle,
    /// The resolution is settled without money.
    #[error("a {resolution} is not settled by a refund")]
    NoRefund {
        /// The resolution.
        resolution: super::resolution::Resolution,
    },
    /// The line is a kit on one line: in a case it comes back as a whole.
    #[error(
        "line {line} is a kit on one line, which comes back as a whole; parts sold as lines of a kit \
         come back one by one"
    )]
    KitIsWhole {
        /// The line.
        line: OrderLineId,
    },
    /// The settlement cannot be worked out.
    #[error(transparent)]
    Settlement(SettlementRefused),
    /// The case has no such obligation.
    #[error("the case has no obligation {obligation}")]
    UnknownObligation {
        /// The number.
        obligation: u32,
    },
    /// The obligation has no such payment.
    #[error("obligation {obligation} has no payment {payment}")]
    UnknownPayment {
        /// The obligation.
        obligation: u32,
        /// The payment, from 1.
        payment: u32,
    },
    /// The payment was made already.
    #[error("payment {payment} of obligation {obligation} was made already")]
    PaidAlready {
        /// The obligation.
        obligation: u32,
        /// The payment, from 1.
        payment: u32,
    },
    /// The payment is no longer owed: what it was to pay for does not go out.
    #[error("payment {payment} of obligation {obligation} is no longer owed")]
    NotOwed {
        /// The obligation.
        obligation: u32,
        /// The payment, from 1.
        payment: u32,
    },
    /// The payment has not failed, so there is nothing to try again.
    #[error("payment {payment} of obligation {obligation} has not failed")]
    NotFailed {
        /// The obligation.
        obligation: u32,
        /// The payment, from 1.
        payment: u32,
    },
    /// Something of the case is still under way.
    #[error("the case cannot be closed: {open}")]
    StillOpen {
        /// What is still open, in words.
        open: OpenMatter,
    },
    /// The case is on hold.
    #[error("the case is on hold; {act} waits until it is released")]
    OnHold {
        /// What was attempted, in words.
        act: &'static str,
    },
    /// A ruling is awaited.
    #[error("a dispute is open; {act} waits for the ruling")]
    InDispute {
        /// What was attempted, in words.
        act: &'static str,
    },
    /// The case is not on hold.
    #[error("the case is not on hold")]
    NotOnHold,
    /// The practice grants no more requests about a line.
    #[error("line {line} was asked for {found} times already, at most {max} are allowed")]
    TooManyApplications {
        /// The line.
        line: OrderLineId,
        /// How many there were.
        found: usize,
        /// The most.
        max: u32,
    },
    /// The practice does not let an ended case be opened again.
    #[error("an ended case cannot be opened again here; open a new one")]
    NoReopening,
    /// The practice does not grant money before goods in this case.
    #[error("the money does not go back before the goods in this case")]
    NoInstantRefund,
    /// There is no ruling that could be appealed now.
    #[error("there is no ruling that can be appealed now")]
    NoAppeal,
    /// Units cannot be accepted by a ruling that there is not.
    #[error("no ruling for the customer says so")]
    NoRuling,
    /// What becomes of the units is decided for good, so they cannot go back.
    #[error("line {line}: {asked} to go back, {available} not disposed of for good")]
    DisposedAlready {
        /// The line.
        line: OrderLineId,
        /// How much.
        asked: Quantity,
        /// How much could.
        available: Quantity,
    },
    /// A ruling that can be appealed names a time after now.
    #[error("the time to appeal ends at {until}, which is not after now")]
    AppealOver {
        /// The end given.
        until: Instant,
    },
    /// There is no dispute to rule.
    #[error("there is no open dispute to rule")]
    NoDispute,
    /// Lost goods are settled only once it is decided who is liable.
    #[error("line {line}: who is liable for the loss is not decided, or it is the buyer")]
    LiabilityOpen {
        /// The line.
        line: OrderLineId,
    },
    /// More is agreed to be refunded than was offered.
    #[error("{asked} is more than the {offered} agreed")]
    MoreThanOffered {
        /// What was asked for.
        asked: crate::money::Money,
        /// What was agreed.
        offered: crate::money::Money,
    },
    /// An amount is offered with a resolution that settles units at their price.
    #[error("a {resolution} settles units at their price; an amount goes with a partial refund")]
    AmountNotOfIt {
        /// The resolution.
        resolution: super::resolution::Resolution,
    },
    /// More units are to be disposed than came back.
    #[error("line {line}: {asked} to be disposed of, {available} there for it")]
    NothingToDispose {
        /// The line.
        line: OrderLineId,
        /// How much.
        asked: Quantity,
        /// How much there is.
        available: Quantity,
    },
    /// A replacement is to go out for units of which some are settled: the customer has the money.
    #[error("line {line} is settled already; what goes out for it would be a gift")]
    SettledAlready {
        /// The line.
        line: OrderLineId,
    },
    /// A replacement without articles.
    #[error("no article is named that goes out")]
    NothingGoesOut,
    /// The line id is used already.
    #[error("line {line} exists already; a replacement needs a new line id")]
    LineExists {
        /// The line.
        line: OrderLineId,
    },
    /// The case has no such replacement.
    #[error("the case has no replacement {replacement}")]
    UnknownReplacement {
        /// The number.
        replacement: u32,
    },
    /// The replacement is not in a state that admits the command.
    #[error("replacement {replacement} cannot be {act} now")]
    ReplacementState {
        /// The number.
        replacement: u32,
        /// What was attempted, in words.
        act: &'static str,
    },
    /// The customer has not paid for the replacement.
    #[error("replacement {replacement} leaves once obligation {obligation} is paid")]
    UnpaidReplacement {
        /// The replacement.
        replacement: u32,
        /// The obligation.
        obligation: u32,
    },
    /// The time to charge an advance has not come.
    #[error("replacement {replacement} is charged from {charge_on} on")]
    TooEarlyToCharge {
        /// The replacement.
        replacement: u32,
        /// From when on.
        charge_on: Instant,
    },
    /// The amount collected is not the amount owed.
    #[error("{collected} was collected, {owed} is owed")]
    WrongAmount {
        /// What was collected.
        collected: crate::money::Money,
        /// What is owed.
        owed: crate::money::Money,
    },
    /// The amended order does not add up.
    #[error(transparent)]
    Sale(SaleRefused),
    /// The amended order is another order, or not a newer version of it.
    #[error("version {found} of order {order} cannot follow version {current}")]
    NotAnAmendment {
        /// The order of the amendment.
        order: crate::id::OrderId,
        /// Its version.
        found: u32,
        /// The version in force.
        current: u32,
    },
    /// An amendment takes away what was ordered, paid or shipped before.
    #[error("line {line}: an amendment cannot take away what was ordered, paid or shipped")]
    AmendmentShrinks {
        /// The line.
        line: OrderLineId,
    },
    /// An amendment takes away what was paid for a charge, or on a tender.
    #[error("{place}: an amendment cannot take away what was paid")]
    AmendmentTakesBack {
        /// The charge or the tender.
        place: Place,
    },
    /// An amendment states the order in another currency.
    #[error("the order is in {current}; an amendment cannot state it in {found}")]
    OtherCurrency {
        /// The currency of the amendment.
        found: Currency,
        /// The currency in force.
        current: Currency,
    },
    /// A split would leave nothing in the case.
    #[error("a split leaves something in the case; amend or withdraw the case instead")]
    NothingLeft,
    /// An amount was agreed for the case as a whole.
    #[error("{agreed} was agreed for the case as a whole; it cannot be split")]
    AmountAgreed {
        /// The amount.
        agreed: crate::money::Money,
    },
    /// The unit is not among those of the line that are still awaited.
    #[error("line {line}: serial number {serial} is not awaited in the case")]
    SerialNotAwaited {
        /// The line.
        line: OrderLineId,
        /// The serial number.
        serial: SerialId,
    },
    /// The parcel was not received.
    #[error("parcel {parcel} was not received; declare it lost instead")]
    NotReceived {
        /// The parcel.
        parcel: ParcelId,
    },
    /// No unexpected item has this place, or it is decided.
    #[error("the case has no undecided unexpected item {item}")]
    UnknownItem {
        /// Its place, from 1.
        item: u32,
    },
    /// The item belongs to no line of the case, so it cannot be taken as a return of one.
    #[error("unexpected item {item} belongs to no line of the case; it cannot be admitted")]
    NotAdmissible {
        /// Its place, from 1.
        item: u32,
    },
    /// An amount cannot be computed.
    #[error(transparent)]
    Amount(MoneyError),
    /// Somebody has the case.
    #[error("the case is with {to} already")]
    Assigned {
        /// Who.
        to: ActorId,
    },
    /// Nobody has the case.
    #[error("nobody has the case yet; assign it first")]
    NotAssigned,
    /// The rules have no such survey.
    #[error("the rules have no survey {survey}")]
    UnknownSurvey {
        /// The survey.
        survey: SurveyId,
    },
    /// The survey was answered for this case.
    #[error("survey {survey} was answered already")]
    SurveyAnswered {
        /// The survey.
        survey: SurveyId,
    },
    /// An answer does not fit its question.
    #[error(transparent)]
    Answer(AnswerError),
    /// What stands in the way of a step of a review, or of moving it to another version.
    #[error(transparent)]
    Review(#[from] ReviewObstacle),
    /// What stands in the way of a claim against a liable party, or of what is recorded for it.
    #[error(transparent)]
    Claim(#[from] ClaimObstacle),
    /// What stands in the way of calling a parcel back, or of what is said about it.
    #[error(transparent)]
    Parcel(#[from] ParcelObstacle),
    /// The stream of events is full.
    #[error("the order has {max} events, no more can be recorded")]
    StreamFull {
        /// The most events of one order.
        max: u64,
    },
}

fn place(location: Location) -> String {
    let words = match location {
        Location::Unshipped => "not shipped",
        Location::HeldBack => "held back",
        Location::Cancelled => "cancelled",
        Location::Customer => "returnable",
        Location::Requested => "requested",
        Location::Intercepting => "being called back",
        Location::InTransit => "in transit",
        Location::Lost => "lost",
        Location::Received => "received and undecided",
        Location::Accepted => "accepted and unsettled",
        Location::Rejected => "refused",
        Location::Settled => "accepted and settled",
        Location::Kept => "kept by the customer",
        Location::WrittenOff => "written off",
        Location::Ahead => "settled ahead of return",
        Location::Recovered => "recovered",
        Location::Stock => "in stock",
    };
    words.into()
}
