//! What every reason says about itself: who can prevent it, who is at fault, what proof is needed.
//!
//! All of these are defaults. An inspection or the supplier's answer may overrule fault and payer;
//! see [`defaults`](super::defaults).

use crate::label::codes;

codes! {
    /// The function that can prevent the reason from happening again: the owner of improvement work.
    pub enum Controller "controller" {
        /// Product design and selection.
        Product = "product", "Product", "产品";
        /// Quality control.
        Quality = "qc", "Quality control", "质检";
        /// The supplier or factory.
        Supplier = "supplier", "Supplier", "供应商";
        /// Warehouse: picking, packing, stock.
        Warehouse = "warehouse", "Warehouse", "仓库";
        /// The carrier.
        Carrier = "carrier", "Carrier", "承运商";
        /// Listing texts, pictures, prices.
        Content = "content", "Content", "内容运营";
        /// Customer service.
        CustomerService = "customer_service", "Customer service", "客服";
        /// Nobody but the customer.
        Customer = "customer", "Customer", "顾客";
    }
}

codes! {
    /// The party at fault (责任方) until someone finds otherwise.
    pub enum Fault "fault" {
        /// The seller.
        Seller = "seller", "Seller", "商家";
        /// The carrier.
        Carrier = "carrier", "Carrier", "承运商";
        /// The supplier.
        Supplier = "supplier", "Supplier", "供应商";
        /// The customer.
        Customer = "customer", "Customer", "顾客";
        /// Nobody.
        Nobody = "none", "Nobody", "无责";
    }
}

codes! {
    /// Whether the customer must show something: a photo, a video, a medical note.
    ///
    /// Ordered: more is greater.
    pub enum Evidence "evidence" {
        /// Nothing is asked.
        NotNeeded = "none", "Not needed", "无需凭证";
        /// It helps, and is not asked for.
        Optional = "optional", "Optional", "可选凭证";
        /// Without it the case does not go on.
        Required = "required", "Required", "必须凭证";
    }
}

codes! {
    /// How strongly one such case speaks against the whole lot. Ordered: more is greater.
    pub enum BatchSignal "lot signal" {
        /// Says nothing about the lot.
        Absent = "none", "None", "无";
        /// Counts once confirmed.
        Weak = "weak", "Weak", "弱";
        /// Counts already when suspected.
        Strong = "strong", "Strong", "强";
    }
}

codes! {
    /// Who pays the freight of the goods coming back (退货运费).
    pub enum FreightPayer "return freight payer" {
        /// The seller, who may charge the party at fault.
        Seller = "seller", "Seller", "商家";
        /// The customer.
        Customer = "customer", "Customer", "顾客";
    }
}

codes! {
    /// The kind of right the reason leans on; `policy` turns it into entitlements.
    pub enum PolicyBasis "policy basis" {
        /// The right to withdraw without a reason (无理由退货).
        Withdrawal = "withdrawal", "Withdrawal", "无理由退货";
        /// The goods or the delivery are not as agreed (商品不符合约定).
        Nonconformity = "nonconformity", "Nonconformity", "不符合约定";
        /// A contract between seller and buyer, such as season-end stock.
        Contract = "contract", "Contract", "协议";
        /// No right of its own.
        NoRight = "none", "None", "无";
        /// To be settled by a person first.
        Undetermined = "undetermined", "Undetermined", "待定";
    }
}

codes! {
    /// Who picks from the list of reasons.
    pub enum Audience "audience" {
        /// The customer, in the request form: only what a customer may state.
        Customer = "customer", "Customer", "顾客";
        /// Staff and inspection: every reason in use.
        Staff = "staff", "Staff", "员工";
    }
}
