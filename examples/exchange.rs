//! One garment exchange from request to end: a jacket that is too small, the next size up, a
//! difference to pay. Every decision is printed with its reasons in English and Chinese, and the way
//! of the case as a Mermaid diagram.
//!
//! `cargo run --release --example exchange`

use std::error::Error;

use aftersale::case::command::Envelope;
use aftersale::case::event::Event;
use aftersale::case::status::CaseStatus;
use aftersale::case::{AfterSale, Context, Decision};
use aftersale::explain::Finding;
use aftersale::id::CaseId;
use aftersale::label::{Coded, Language};
use aftersale::preset::policies::STORE;
use aftersale::preset::reasons::TAXONOMY;
use aftersale::rules::Rules;
use aftersale::sale::Sale;
use aftersale::time::Instant;
use serde_json::{Value, json};

const SALE: &str = r#"{
  "order": "SO-2026-0311", "currency": "CNY", "prices": "tax_included",
  "placed_at": "2026-03-02T02:00:00Z",
  "lines": [{"id": "1", "sku": "JACKET-RED-M", "tags": ["apparel"],
             "quantity": {"amount": "1", "unit": "pcs"}, "unit_price": "399.00",
             "taxes": [{"code": "VAT", "rate": "0.13"}]}],
  "discounts": [{"promotion": "38-FESTIVAL", "amount": {"amount": "40.00", "currency": "CNY"}}],
  "tenders": [{"id": "wechat", "kind": "wallet", "captured": {"amount": "359.00", "currency": "CNY"}}],
  "shipments": [{"parcel": "SF1001", "shipped_at": "2026-03-02T09:00:00Z",
                 "signed_at": "2026-03-04T06:00:00Z",
                 "lines": [{"line": "1", "quantity": {"amount": "1", "unit": "pcs"}}]}],
  "total": {"amount": "359.00", "currency": "CNY"}
}"#;

/// Day, role, what is done in both languages, and the command.
fn steps() -> Vec<(&'static str, &'static str, [&'static str; 2], Value)> {
    let one = json!([{"line": "1", "quantity": {"amount": "1", "unit": "pcs"}}]);
    let larger = json!({"line": "1-L", "replaces": "1", "sku": "JACKET-RED-L",
        "quantity": {"amount": "1", "unit": "pcs"},
        "price": {"own": {"gross": {"amount": "379.00", "currency": "CNY"}, "taxes": []}}});
    let paid = json!({"collected": {"tender": {"id": "wechat-2", "kind": "wallet",
        "captured": {"amount": "20.00", "currency": "CNY"}}}});
    vec![
        (
            "06",
            "customer",
            ["asks for an exchange", "申请换货"],
            json!({"type": "open_case", "resolution": "exchange", "lines": [
             {"line": "1", "quantity": {"amount": "1", "unit": "pcs"}, "reason": "FIT.TOO_SMALL",
              "note": "袖子太短，想换大一码"}]}),
        ),
        (
            "06",
            "agent",
            ["permits it", "同意换货"],
            json!({"type": "authorize", "ground": "policy"}),
        ),
        (
            "07",
            "customer",
            ["sends the jacket back", "寄回商品"],
            json!({"type": "send_back", "parcel": "SF2002", "lines": one}),
        ),
        (
            "09",
            "warehouse",
            ["receives it", "签收入库"],
            json!({"type": "receive", "parcel": "SF2002", "lines": one}),
        ),
        (
            "09",
            "inspector",
            ["finds it as new", "质检：全新"],
            json!({"type": "inspect", "units": one[0], "inspection": {"grade": "as_new"}}),
        ),
        (
            "09",
            "inspector",
            ["accepts it", "质检通过"],
            json!({"type": "accept", "basis": "inspected", "lines": one}),
        ),
        (
            "09",
            "inspector",
            ["puts it back into stock", "良品入库"],
            json!({"type": "set_disposition", "units": one[0], "to": "restock"}),
        ),
        (
            "10",
            "agent",
            ["settles size M against size L", "结算换货差价"],
            json!({"type": "exchange", "items": [larger]}),
        ),
        (
            "10",
            "warehouse",
            ["tries to ship before the difference is paid", "未收差价即发货"],
            json!({"type": "ship_replacement", "replacement": 1, "parcel": "SF3003"}),
        ),
        (
            "10",
            "system",
            ["collects 20.00 from the customer", "收取差价20元"],
            json!({"type": "record_payment", "obligation": 1, "payment": 1, "result": paid}),
        ),
        (
            "11",
            "warehouse",
            ["ships size L", "换货发出"],
            json!({"type": "ship_replacement", "replacement": 1, "parcel": "SF3003"}),
        ),
        (
            "13",
            "customer",
            ["confirms it arrived", "确认收货"],
            json!({"type": "confirm_replacement", "replacement": 1}),
        ),
        ("13", "agent", ["ends the case", "关闭售后单"], json!({"type": "close"})),
    ]
}

fn main() -> Result<(), Box<dyn Error>> {
    let rules: Rules = serde_json::from_value(json!({
        "version": 1,
        "taxonomy": serde_json::from_str::<Value>(TAXONOMY)?,
        "policies": [serde_json::from_str::<Value>(STORE)?],
        "place": {"zone": "Asia/Shanghai", "working_days": {"weekend": ["sat", "sun"]}},
    }))?;
    let sale: Sale = serde_json::from_str(SALE)?;
    let mut order = AfterSale::open(sale.clone());
    let case: CaseId = "R-1".parse()?;
    let mut way = vec![String::from("[*]")];
    let mut history: Vec<Event> = Vec::new();
    for (number, (day, role, what, mut command)) in steps().into_iter().enumerate() {
        command["case"] = json!("R-1");
        let envelope: Envelope = serde_json::from_value(json!({
            "id": format!("c{number}"), "command": command,
            "actor": {"id": format!("{role}-1"), "role": role},
        }))?;
        let now: Instant = serde_json::from_value(json!(format!("2026-03-{day}T03:00:00Z")))?;
        println!("\n2026-03-{day}  the {role} {}  ·  {}", what[0], what[1]);
        match order.apply(&Context { now, rules: &rules }, &envelope) {
            Ok(decision) => {
                tell(&decision);
                history.extend(decision.events);
                if let Some(status) =
                    order.case(&case).map(aftersale::case::state::ReturnCase::status)
                {
                    tell_status(status);
                    if way.last() != Some(&status.to_string()) {
                        way.push(status.to_string());
                    }
                }
            }
            Err(refusal) => println!("  refused 拒绝: {refusal}"),
        }
    }
    assert_eq!(AfterSale::replay(sale, &history)?, order, "a replayed order is the live one");
    println!("\nThe way of the case, {} events 售后单流转:\n\nstateDiagram-v2", history.len());
    for pair in way.windows(2) {
        println!("    {} --> {}", pair[0], pair[1]);
    }
    println!("    {} --> [*]", way.last().map_or("[*]", String::as_str));
    Ok(())
}

fn tell(decision: &Decision) {
    for finding in &decision.findings {
        println!("  why: {finding}");
        println!("  原因: {}", in_chinese(finding));
    }
    for duty in &decision.duties {
        let act = serde_json::to_value(&duty.act).unwrap_or_default();
        println!("  to do 待办 {}.{}: {}", duty.id.sequence, duty.id.place, short(&act));
    }
}

fn tell_status(status: CaseStatus) {
    let label = |language| status.label(language);
    println!("  status 状态: {} · {}", label(Language::English), label(Language::Chinese));
}

/// A finding in Chinese, from its codes and values.
fn in_chinese(finding: &Finding) -> String {
    let mut text =
        format!("规则 `{}` {}", finding.rule.id, finding.effect.label(Language::Chinese));
    if let Some(observed) = &finding.observed {
        text.push_str(&format!("，实际 {observed}"));
    }
    if let Some(required) = &finding.required {
        text.push_str(&format!("，要求 {required}"));
    }
    text
}

/// A duty in one line: its type and the values that matter.
fn short(act: &Value) -> String {
    let text = |key: &str| act.get(key).map(|value| format!(" {value}")).unwrap_or_default();
    let kind = act["type"].as_str().unwrap_or_default().replace('_', " ");
    let amount = act["payment"]["amount"]["amount"].as_str().map(|a| format!(" {a} CNY"));
    format!("{kind}{}{}{}", amount.unwrap_or_default(), text("notice"), text("disposition"))
}
