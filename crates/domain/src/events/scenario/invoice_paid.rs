//! An invoice on its way to being paid. Amounts are in cents.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Run, Scenario, Step};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "invoice-paid",
    title: "An invoice is paid",
    description: "An invoice is created, sent and opened; the first payment is declined, the \
        second succeeds, and the invoice is paid. One invoice, one customer and one amount from \
        beginning to end.",
    steps: &[
        Step {
            type_name: "invoice.created",
            title: "The invoice is created",
            description: "A draft with its lines, its total and the day it is due.",
            data: created,
        },
        Step {
            type_name: "invoice.sent",
            title: "The invoice is sent",
            description: "The customer has it in their mail.",
            data: sent,
        },
        Step {
            type_name: "invoice.opened",
            title: "The customer opens it",
            description: "The invoice was looked at for the first time.",
            data: opened,
        },
        Step {
            type_name: "payment.declined",
            title: "The first payment is declined",
            description: "The card has too little on it; the invoice stays open.",
            data: declined,
        },
        Step {
            type_name: "payment.succeeded",
            title: "The second payment succeeds",
            description: "The whole amount, with another card.",
            data: succeeded,
        },
        Step {
            type_name: "invoice.paid",
            title: "The invoice is paid",
            description: "Nothing is due any more; it names the payment that settled it.",
            data: paid,
        },
    ],
};

const HOURLY_CENTS: u64 = 9_500;
const SETUP_CENTS: u64 = 12_000;
const TAX_PERCENT: u64 = 20;
/// How long the customer has.
const DAYS_TO_PAY: u64 = 14;

/// What all steps of a run agree on.
struct Journey {
    invoice_id: String,
    number: String,
    hours: u64,
    net: u64,
    tax: u64,
}

impl Journey {
    fn of(run: &Run) -> Self {
        let hours = 2 + run.number % 7;
        let net = hours * HOURLY_CENTS + SETUP_CENTS;
        Self {
            invoice_id: format!("inv_{}", run.number),
            number: format!("INV-{:06}", run.number % 1_000_000),
            hours,
            net,
            tax: net * TAX_PERCENT / 100,
        }
    }

    const fn total(&self) -> u64 {
        self.net + self.tax
    }

    /// The members that every event about the invoice has.
    fn invoice(&self, run: &Run, status: &str, changed_in: u32) -> Value {
        let due = run.begun_at + std::time::Duration::from_secs(DAYS_TO_PAY * 86_400);
        let left = if status == "paid" { 0 } else { self.total() };
        json!({
            "invoiceId": self.invoice_id,
            "number": self.number,
            "status": status,
            "customer": {
                "id": "cus_1042",
                "name": "Northwind Bakery",
                "email": "accounts@northwind.example",
            },
            "currency": "EUR",
            "totalCents": self.total(),
            "amountDueCents": left,
            "creationTime": run.time_of(0),
            "lastModifiedTime": run.time_of(changed_in),
            "dueTime": due,
        })
    }

    fn payment(&self, run: &Run, attempt: u32, step: u32) -> Value {
        json!({
            "paymentId": format!("pay_{}_{attempt}", run.number),
            "invoiceId": self.invoice_id,
            "customerId": "cus_1042",
            "attempt": attempt,
            "currency": "EUR",
            "amountCents": self.total(),
            "time": run.time_of(step),
        })
    }
}

/// `value` with more members.
fn with(mut value: Value, more: Value) -> Bytes {
    if let (Some(members), Value::Object(more)) = (value.as_object_mut(), more) {
        members.extend(more);
    }
    value.to_string().into()
}

fn created(run: &Run) -> Bytes {
    let journey = Journey::of(run);
    let lines = json!({
        "lines": [
            {
                "description": "Oven maintenance, hours",
                "quantity": journey.hours,
                "unitCents": HOURLY_CENTS,
                "amountCents": journey.hours * HOURLY_CENTS,
            },
            {
                "description": "Call-out",
                "quantity": 1,
                "unitCents": SETUP_CENTS,
                "amountCents": SETUP_CENTS,
            },
        ],
        "netCents": journey.net,
        "taxPercent": TAX_PERCENT,
        "taxCents": journey.tax,
    });
    with(journey.invoice(run, "draft", 0), lines)
}

fn sent(run: &Run) -> Bytes {
    let more = json!({ "sentTime": run.time_of(1), "sentBy": "email" });
    with(Journey::of(run).invoice(run, "sent", 1), more)
}

fn opened(run: &Run) -> Bytes {
    let more = json!({ "sentTime": run.time_of(1), "openedTime": run.time_of(2) });
    with(Journey::of(run).invoice(run, "opened", 2), more)
}

fn declined(run: &Run) -> Bytes {
    let more = json!({
        "status": "declined",
        "method": { "type": "card", "lastDigits": "0341" },
        "reason": "insufficient_funds",
    });
    with(Journey::of(run).payment(run, 1, 3), more)
}

fn succeeded(run: &Run) -> Bytes {
    let more = json!({
        "status": "succeeded",
        "method": { "type": "card", "lastDigits": "4242" },
    });
    with(Journey::of(run).payment(run, 2, 4), more)
}

fn paid(run: &Run) -> Bytes {
    let more = json!({
        "sentTime": run.time_of(1),
        "openedTime": run.time_of(2),
        "paidTime": run.time_of(4),
        "paymentId": format!("pay_{}_2", run.number),
    });
    with(Journey::of(run).invoice(run, "paid", 5), more)
}
