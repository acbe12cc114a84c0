//! The sixty invariants of return cases, over random orders and random commands under every practice.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use crate::case_world::commands::KINDS;
use crate::case_world::{Coverage, all_rules, other_rules, shrink, story};
use aftersale::case::command::Command;
use aftersale::case::event::EventFact;
use aftersale::case::ground::Ground;
use aftersale::case::status::CaseStatus;
use aftersale::case::{AfterSale, Context};
use aftersale::id::CaseId;
use aftersale::label::Coded;
use aftersale::rules::Rules;
use aftersale::settlement::Settlement;

/// How many stories are told; `AFTERSALE_CASES` sets another number.
const STORIES: u64 = 420;

struct Outcome {
    broken: BTreeMap<u16, String>,
    coverage: Coverage,
}

fn outcome() -> &'static Outcome {
    static OUTCOME: OnceLock<Outcome> = OnceLock::new();
    OUTCOME.get_or_init(|| {
        let all = all_rules();
        let mut coverage = Coverage::default();
        let mut broken: BTreeMap<u16, String> = BTreeMap::new();
        let first: u64 = std::env::var("AFTERSALE_FIRST").map_or(0, |text| text.parse().unwrap());
        let stories = crate::case_world::sales_support::cases(STORIES);
        for seed in first..first + stories {
            let (sale, rules, steps, told) = story(seed, &all, &mut coverage);
            let Err(found) = told else { continue };
            if broken.contains_key(&found.invariant) {
                continue;
            }
            let (steps, fault) = shrink(&sale, rules, steps, seed, found.invariant);
            let mut text =
                format!("story {seed}: {} (first seen as: {})\n", fault.what, found.what);
            for step in steps {
                let command = serde_json::to_string(&step.envelope.command).unwrap();
                text.push_str(&format!("  {} {} {command}\n", step.now, step.envelope.actor.role));
            }
            text.push_str(&serde_json::to_string(sale.draft()).unwrap());
            broken.insert(found.invariant, text);
        }
        Outcome { broken, coverage }
    })
}

/// No story breaks the invariant.
fn holds(invariant: u16) {
    if let Some(text) = outcome().broken.get(&invariant) {
        panic!("invariant {invariant}: {text}");
    }
}

/// Stories reach every command, event and status there is, accepted and refused: the generator is not
/// too tame.
#[test]
fn the_stories_reach_everything() {
    let Outcome { broken, coverage } = outcome();
    println!("{} stories under {:?}", coverage.stories, coverage.practices);
    println!("accepted {:?}", coverage.accepted);
    println!("refused {:?}", coverage.refused);
    println!("events {:?}", coverage.events);
    println!("statuses {:?}", coverage.statuses);
    println!("obstacles {:?}", coverage.obstacles);
    for (number, text) in broken {
        println!("==== invariant {number}: {text}");
    }
    assert_eq!(coverage.practices.len(), 9, "no practice, six marketplaces, two that ask people");
    let commands = golden("commands");
    for name in &commands {
        let known = KINDS.contains(&name.as_str());
        assert!(known, "the stories cannot tell of `{name}`");
        assert!(coverage.accepted.contains_key(name), "`{name}` was never accepted");
        let always = ["tick"].contains(&name.as_str());
        assert!(always || coverage.refused.contains_key(name), "`{name}` was never refused");
    }
    for name in golden("events") {
        assert!(coverage.events.contains_key(&name), "`{name}` never happened");
    }
    for status in CaseStatus::ALL {
        let name = status.to_string();
        assert!(coverage.statuses.contains_key(&name), "no case was ever {name}");
    }
}

/// The names of the forms that a golden file fixes: all there are.
fn golden(file: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text =
        std::fs::read_to_string(root.join(format!("tests/golden/case/{file}.json"))).unwrap();
    let forms: BTreeMap<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
    forms.into_keys().collect()
}

/// CAS-123: what a settlement comes to depends on the sale and the commands alone: other policies,
/// another version of the rules and another practice without timers change no amount [23].
#[test]
fn invariant_23_amounts_come_from_the_sale_alone() {
    let all = all_rules();
    let (_, plain) = &all[0];
    let others = other_rules();
    let mut compared = 0;
    let stories = 200 * all.len() as u64;
    for seed in (0..stories).step_by(all.len()) {
        let (sale, rules, steps, told) = story(seed, &all, &mut Coverage::default());
        assert!(told.is_ok());
        assert_eq!(rules.version(), plain.version());
        let amounts = |rules: &Rules| -> Vec<(CaseId, Settlement)> {
            let mut order = AfterSale::open(sale.clone());
            let mut amounts = Vec::new();
            for step in &steps {
                let context = Context { now: step.now, rules };
                let mut envelope = step.envelope.clone();
                if let Command::Authorize { ground, .. } = &mut envelope.command
                    && *ground == Ground::Policy
                {
                    *ground = Ground::Goodwill { note: "by hand".to_owned() };
                }
                let Ok(decision) = order.apply(&context, &envelope) else { continue };
                for event in decision.events {
                    if let EventFact::RefundPlanned { case, settlement, .. } = event.fact {
                        amounts.push((case, (*settlement).clone()));
                    }
                }
            }
            amounts
        };
        let (one, other) = (amounts(plain), amounts(&others));
        compared += one.len();
        assert_eq!(one, other, "story {seed}");
    }
    assert!(compared > 50, "only {compared} settlements were compared");
}

// The invariants.

/// CAS-101: a unit is at one place, for one case, and no place is below zero; what is outside equals what was shipped [1].
#[test]
fn invariant_1_every_unit_is_at_one_place() {
    holds(1);
}

/// CAS-102: what is free can be asked for, all of it and not one step more [2].
#[test]
fn invariant_2_released_units_can_be_asked_for_again() {
    holds(2);
}

/// CAS-103: what came in is received, accepted or refused, or went on; no more is disposed of than is ours [3].
#[test]
fn invariant_3_what_came_is_here_or_went() {
    holds(3);
}

/// CAS-104: a split, an amendment and an admitted item conserve what is asked for, line by line [4].
#[test]
fn invariant_4_a_split_conserves_the_request() {
    holds(4);
}

/// CAS-105: a serial number is in one open case at most [5].
#[test]
fn invariant_5_a_serial_number_is_in_one_open_case() {
    holds(5);
}

/// CAS-106: a serial number or lot that was not shipped is an unexpected item, and no return [6].
#[test]
fn invariant_6_foreign_goods_are_unexpected() {
    holds(6);
}

/// CAS-107: kits that are back are the least over their parts, rounded down [7].
#[test]
fn invariant_7_whole_kits_are_the_least_over_their_parts() {
    holds(7);
}

/// CAS-109: lines never exchange units, and what is promised to a line is what was asked of it [9].
#[test]
fn invariant_9_lines_keep_their_identity() {
    holds(9);
}

/// CAS-110: every movement is one that its event may make, and every balance equals the sum of movements [10].
#[test]
fn invariant_10_movements_balance() {
    holds(10);
}

/// CAS-111: what goes back on a tender, outside refunds included, is no more than was captured on it [11].
#[test]
fn invariant_11_no_tender_gives_back_more_than_it_took() {
    holds(11);
}

/// CAS-112: what goes back over all tenders is no more than was captured [12].
#[test]
fn invariant_12_no_order_gives_back_more_than_it_took() {
    holds(12);
}

/// CAS-113: as many units are paid for as are settled; a line never refunds more than was paid, an agreement no more than was agreed [13].
#[test]
fn invariant_13_a_refund_is_bounded_by_what_was_accepted() {
    holds(13);
}

/// CAS-114: when all units of a line went back, so did all that was paid for them [14].
#[test]
fn invariant_14_all_units_refund_all_that_was_paid() {
    holds(14);
}

/// CAS-115: a refund is the amount that the whole story of its line says; by units alone it depends on their number alone [15].
#[test]
fn invariant_15_the_way_to_a_sum_does_not_matter() {
    holds(15);
}

/// CAS-116: entries sum to the total, and net and tax to each gross amount [16].
#[test]
fn invariant_16_entries_sum_to_the_total() {
    holds(16);
}

/// CAS-118: no payout is below zero; a debt is an amount due with a payment to collect [18].
#[test]
fn invariant_18_nobody_is_paid_less_than_nothing() {
    holds(18);
}

/// CAS-119: a waived fee is zero [19].
#[test]
fn invariant_19_a_waived_fee_is_zero() {
    holds(19);
}

/// CAS-122: all amounts of a settlement are in the currency of the order [22].
#[test]
fn invariant_22_all_amounts_are_in_the_currency_of_the_order() {
    holds(22);
}

/// CAS-124: the difference of an exchange is what goes out less what came back, and it leaves once it is paid [24].
#[test]
fn invariant_24_an_exchange_differs_by_prices_alone() {
    holds(24);
}

/// CAS-125: along every chain of exchanges, what is left to refund is what was paid in less what was paid out [25].
#[test]
fn invariant_25_what_is_left_is_what_was_paid_in_less_what_went_out() {
    holds(25);
}

/// CAS-126: what costs nothing settles to nothing, without an error [26].
#[test]
fn invariant_26_what_costs_nothing_settles_to_nothing() {
    holds(26);
}

/// CAS-127: what is allocated to tenders and named as a shortfall is the amount due [27].
#[test]
fn invariant_27_a_plan_is_complete() {
    holds(27);
}

/// CAS-128: a payment is made at most once; a failed one stays open under its number; no case ends with one open [28].
#[test]
fn invariant_28_an_obligation_is_paid_once() {
    holds(28);
}

/// CAS-129: only transitions of the table occur, by those who may [29].
#[test]
fn invariant_29_only_transitions_of_the_table_occur() {
    holds(29);
}

/// CAS-130: an ended case takes facts about goods, liability and reasons, and no decision but to open it again [30].
#[test]
fn invariant_30_an_ended_case_decides_nothing() {
    holds(30);
}

/// CAS-131: from every state reached, permitted actors bring the case to its end [31].
#[test]
fn invariant_31_every_case_can_end() {
    holds(31);
}

/// CAS-132: status and stage are what the axes come to [32].
#[test]
fn invariant_32_the_status_is_a_function_of_the_axes() {
    holds(32);
}

/// CAS-133: money goes before goods only where the resolution or a timer says so [33].
#[test]
fn invariant_33_money_before_goods_only_where_granted() {
    holds(33);
}

/// CAS-134: what is accepted by a ruling has a ruling for the customer [34].
#[test]
fn invariant_34_an_acceptance_has_a_ground() {
    holds(34);
}

/// CAS-135: a loss is settled only once somebody other than the buyer alone is found liable [35].
#[test]
fn invariant_35_a_loss_is_settled_by_liability_alone() {
    holds(35);
}

/// CAS-136: as many units are settled as are paid for: a late arrival pays nothing more [36].
#[test]
fn invariant_36_every_unit_is_paid_for_once() {
    holds(36);
}

/// CAS-137: an advance is resolved exactly once, and no case ends before [37].
#[test]
fn invariant_37_an_advance_is_resolved_once() {
    holds(37);
}

/// CAS-138: no case ends with goods in transit, undecided, unsettled or called back [38].
#[test]
fn invariant_38_no_case_ends_with_goods_under_way() {
    holds(38);
}

/// CAS-139: no case ends with refused goods with us [39].
#[test]
fn invariant_39_refused_goods_go_home() {
    holds(39);
}

/// CAS-140: a dispute and a hold freeze deciding, settling and ending; a ruling is appealed in its window or not at all [40].
#[test]
fn invariant_40_a_dispute_freezes() {
    holds(40);
}

/// CAS-141: a line is asked for no more often than the practice allows [41].
#[test]
fn invariant_41_applications_are_limited() {
    holds(41);
}

/// CAS-142: where people decide by a procedure, nobody approves what they asked for [42].
#[test]
fn invariant_42_nobody_approves_what_they_asked_for() {
    holds(42);
}

/// CAS-97: whatever somebody may do about a case is listed for them, at least once of its kind, but for what
/// is always possible.
#[test]
fn what_is_accepted_is_listed() {
    let missed: Vec<&String> =
        outcome().broken.range(crate::case_world::LISTED..).map(|(_, text)| text).collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

/// CAS-143: the stored events give the order again, byte for byte [43].
#[test]
fn invariant_43_stored_events_give_the_order_again() {
    holds(43);
}

/// CAS-144: no event is before the one it follows, and no command either [44].
#[test]
fn invariant_44_time_never_goes_backwards() {
    holds(44);
}

/// CAS-145: a deadline is the start plus the length, what was stopped left out [45].
#[test]
fn invariant_45_a_clock_counts_its_own_time() {
    holds(45);
}

/// CAS-146: no deadline falls into a known pause, and none moves to an earlier time [46].
#[test]
fn invariant_46_no_deadline_in_a_pause() {
    holds(46);
}

/// CAS-147: a clock fires once, at its time; ticks at any times change no event [47].
#[test]
fn invariant_47_a_clock_fires_once_however_often_one_looks() {
    holds(47);
}

/// CAS-148: after a command nothing is due that has not fired: before its deadline an act wins, at it the clock [48].
#[test]
fn invariant_48_what_was_due_has_fired() {
    holds(48);
}

/// CAS-149: a case keeps the version it was opened under, a clock the action it was set with [49].
#[test]
fn invariant_49_versions_are_pinned() {
    holds(49);
}

/// CAS-150: events are numbered without gaps, each with actor, cause and version [50].
#[test]
fn invariant_50_events_are_numbered() {
    holds(50);
}

/// CAS-151: the same command again has no event and no duty; another under its id is refused [51].
#[test]
fn invariant_51_one_id_is_one_effect() {
    holds(51);
}

/// CAS-152: a command for another version is refused [52].
#[test]
fn invariant_52_a_stale_command_is_refused() {
    holds(52);
}

/// CAS-153: the numbers of an explanation give the amount again, and those of a refusal are true [53].
#[test]
fn invariant_53_numbers_of_explanations_are_true() {
    holds(53);
}

/// CAS-155: what was said about why stays as it was said [55].
#[test]
fn invariant_55_what_was_said_stays() {
    holds(55);
}

/// CAS-156: shares of a decided liability sum to one [56].
#[test]
fn invariant_56_shares_of_liability_sum_to_one() {
    holds(56);
}
