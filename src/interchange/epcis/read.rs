//! From JSON to events: what each type needs, and a fault for what it lacks.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::DateTime;

use super::json::Json;
use super::key::Key;
use super::measure::can_count;
use super::{Action, EpcisEvent, EpcisKind, ErrorDeclaration, Fault, Import, Thing};
use crate::label::Coded;
use crate::number::{Exact, excerpt};
use crate::time::{Instant, YEARS};

/// Finds the events of a document of any shape and reads each.
pub(super) fn document(document: &Json) -> Import {
    let mut import = Import::default();
    let Some(events) = event_list(document) else {
        import.faults.push(Fault::NoEvents);
        return import;
    };
    for (index, event) in events.iter().enumerate() {
        match read_event(index, event, &mut import.faults) {
            Ok(event) => import.events.push(event),
            Err(fault) => import.faults.push(fault),
        }
    }
    import
}

/// A list, a bare event, a capture document or a query document.
fn event_list(document: &Json) -> Option<&[Json]> {
    if let Json::List(events) = document {
        return Some(events);
    }
    if let Some(body) = document.field("epcisBody") {
        let body = body.items().first()?;
        let results = body.field("queryResults").and_then(|results| results.field("resultsBody"));
        let holder = results.unwrap_or(body);
        return holder.field("eventList").or_else(|| holder.field("event")).map(Json::items);
    }
    if let Some(events) = document.field("eventList").or_else(|| document.field("@graph")) {
        return Some(events.items());
    }
    type_of(document).map(|_| document.items())
}

fn type_of(event: &Json) -> Option<&Json> {
    ["type", "isA", "@type"].iter().find_map(|name| event.field(name))
}

fn read_event(index: usize, event: &Json, faults: &mut Vec<Fault>) -> Result<EpcisEvent, Fault> {
    if !matches!(event, Json::Object(_)) {
        return Err(Fault::NotAnObject { index });
    }
    let named = type_of(event).and_then(Json::text).map(bare_word);
    let kind = named.as_deref().and_then(EpcisKind::from_code).ok_or_else(|| {
        Fault::UnknownType { index, found: excerpt(named.as_deref().unwrap_or_default()) }
    })?;
    let reader = Reader { index, event };
    let at = reader.time()?;
    let action = reader.action(kind)?;
    let parent = reader.named("parentID")?.map(|text| Key::parse(&text));
    let contains = matches!(kind, EpcisKind::Aggregation | EpcisKind::Association);
    if contains && parent.is_none() && action != Some(Action::Observe) {
        return Err(Fault::Missing { index, field: "parentID" });
    }
    let mut objects = reader.things("epcList", "quantityList", faults)?;
    objects.append(&mut reader.things("childEPCs", "childQuantityList", faults)?);
    Ok(EpcisEvent {
        index,
        kind,
        id: reader.named("eventID")?,
        at,
        action,
        inputs: reader.things("inputEPCList", "inputQuantityList", faults)?,
        outputs: reader.things("outputEPCList", "outputQuantityList", faults)?,
        parent,
        objects,
        transformation: reader.named("transformationID")?,
        transactions: reader.transactions()?,
        sources: reader.parties("sourceList", "source")?,
        destinations: reader.parties("destinationList", "destination")?,
        step: reader.named("bizStep")?.map(|text| bare_word(&text)),
        disposition: reader.named("disposition")?.map(|text| bare_word(&text)),
        read_point: reader.named("readPoint")?.map(|text| Key::parse(&text)),
        location: reader.named("bizLocation")?.map(|text| Key::parse(&text)),
        attributes: reader.attributes(),
        error: reader.error()?,
    })
}

/// What CBV 2.0 writes before a term in its web vocabulary: business steps, dispositions, types of
/// business transaction, types of source and destination, reasons of errors.
const VOCABULARIES: [&str; 5] = ["BizStep-", "Disp-", "BTT-", "SDT-", "ER-"];

/// The last word of a vocabulary term: `shipping` of `urn:epcglobal:cbv:bizstep:shipping`,
/// `https://ref.gs1.org/cbv/BizStep-shipping`, `cbv:BizStep-shipping` and `shipping`.
fn bare_word(term: &str) -> String {
    let last = term.rsplit(['/', ':', '#']).next().unwrap_or(term);
    let bare = VOCABULARIES.iter().find_map(|vocabulary| last.strip_prefix(vocabulary));
    bare.unwrap_or(last).to_owned()
}

struct Reader<'j> {
    index: usize,
    event: &'j Json,
}

impl Reader<'_> {
    fn invalid(&self, found: &Json, expected: &'static str) -> Fault {
        Fault::Invalid { index: self.index, found: found.shown(), expected }
    }

    fn time(&self) -> Result<Instant, Fault> {
        let missing = Fault::Missing { index: self.index, field: "eventTime" };
        let value = self.event.field("eventTime").ok_or(missing)?;
        let parsed = value.text().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        let utc = parsed.map(|time| time.to_utc());
        utc.filter(|time| YEARS.contains(&chrono::Datelike::year(time)))
            .ok_or_else(|| self.invalid(value, "time with a zone, such as 2026-02-05T06:00:00Z"))
    }

    fn action(&self, kind: EpcisKind) -> Result<Option<Action>, Fault> {
        if kind == EpcisKind::Transformation {
            return Ok(None);
        }
        let missing = Fault::Missing { index: self.index, field: "action" };
        let value = self.event.field("action").ok_or(missing)?;
        let action = value.text().and_then(Action::from_code);
        action.map(Some).ok_or_else(|| self.invalid(value, "action (ADD, OBSERVE or DELETE)"))
    }

    /// A text, or the `id` of an object.
    fn named(&self, field: &str) -> Result<Option<String>, Fault> {
        let Some(value) = self.event.field(field) else { return Ok(None) };
        let text = value.text().or_else(|| value.field("id").and_then(Json::text));
        text.map(|text| Some(text.to_owned())).ok_or_else(|| self.invalid(value, "name"))
    }

    fn things(
        &self,
        list: &str,
        quantities: &str,
        faults: &mut Vec<Fault>,
    ) -> Result<Vec<Thing>, Fault> {
        let mut things = Vec::new();
        for value in self.event.field(list).map(Json::items).unwrap_or_default() {
            let text = value.text().ok_or_else(|| self.invalid(value, "identifier"))?;
            things.push(Thing { key: Key::parse(text), quantity: None, unit: None });
        }
        for element in self.event.field(quantities).map(Json::items).unwrap_or_default() {
            let class = element.field("epcClass").unwrap_or(element);
            let text = class.text().ok_or_else(|| self.invalid(class, "identifier"))?;
            let unit = element.field("uom").and_then(Json::text).map(ToOwned::to_owned);
            let quantity = element.field("quantity").and_then(|value| {
                let read = match value {
                    Json::Number(text) | Json::Text(text) => text.parse::<Exact>().ok(),
                    _ => None,
                };
                let read = read.filter(|&amount| can_count(amount, unit.as_deref()));
                if read.is_none() {
                    let (index, found) = (self.index, value.shown());
                    faults.push(Fault::QuantityDropped { index, found });
                }
                read
            });
            things.push(Thing { key: Key::parse(text), quantity, unit });
        }
        Ok(things)
    }

    fn transactions(&self) -> Result<Vec<(Option<String>, String)>, Fault> {
        let list = self.event.field("bizTransactionList").map(Json::items).unwrap_or_default();
        list.iter()
            .map(|element| {
                let id = element.field("bizTransaction").unwrap_or(element);
                let text = id.text().ok_or_else(|| self.invalid(id, "business document"))?;
                let kind = element.field("type").and_then(Json::text).map(bare_word);
                Ok((kind, text.to_owned()))
            })
            .collect()
    }

    fn parties(&self, list: &str, name: &str) -> Result<Vec<(Option<String>, Key)>, Fault> {
        let list = self.event.field(list).map(Json::items).unwrap_or_default();
        list.iter()
            .map(|element| {
                let id = element.field(name).unwrap_or(element);
                let text = id.text().ok_or_else(|| self.invalid(id, "party or place"))?;
                let kind = element.field("type").and_then(Json::text).map(bare_word);
                Ok((kind, Key::parse(text)))
            })
            .collect()
    }

    fn attributes(&self) -> BTreeMap<String, String> {
        let Some(Json::Object(fields)) = self.event.field("ilmd") else { return BTreeMap::new() };
        fields
            .iter()
            .filter_map(|(name, value)| match value {
                Json::Text(text) | Json::Number(text) => Some((name.clone(), text.clone())),
                Json::Flag(flag) => Some((name.clone(), alloc::format!("{flag}"))),
                Json::Null | Json::List(_) | Json::Object(_) => None,
            })
            .collect()
    }

    fn error(&self) -> Result<Option<ErrorDeclaration>, Fault> {
        let Some(value) = self.event.field("errorDeclaration") else { return Ok(None) };
        if !matches!(value, Json::Object(_)) {
            return Err(self.invalid(value, "error declaration"));
        }
        let ids = value.field("correctiveEventIDs").map(Json::items).unwrap_or_default();
        let reason = value.field("reason").and_then(Json::text).map(bare_word);
        let corrective_ids = ids.iter().filter_map(Json::text).map(ToOwned::to_owned).collect();
        Ok(Some(ErrorDeclaration { reason, corrective_ids }))
    }
}
