//! The strategies exported to hosts give valid values.
#![cfg(feature = "proptest")]

use aftersale::sale::Sale;
use aftersale::settlement::ledger::MoneyLedger;
use aftersale::settlement::quote;
use aftersale::strategies::{sales, unit_refunds};
use proptest::prelude::*;

proptest! {
    #[test]
    fn generated_sales_and_refunds_are_accepted(
        (sale, request) in sales().prop_flat_map(|sale| {
            let at = sale.draft().placed_at;
            let request = unit_refunds(&sale, at);
            (Just(sale), request)
        })
    ) {
        let ledger = MoneyLedger::open(&sale);
        prop_assert_eq!(ledger.refundable(), sale.total());
        let settlement = quote(&sale, &ledger, &request).unwrap();
        prop_assert!(settlement.shortfall.is_zero());
        prop_assert!(settlement.total <= sale.total());
        let text = serde_json::to_string(&sale).unwrap();
        prop_assert_eq!(serde_json::from_str::<Sale>(&text).unwrap(), sale);
    }
}
