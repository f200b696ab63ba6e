//! Numbers of JSON by value: `1` is `1.0`, and 2^53 + 1 is not 2^53.

use std::cmp::Ordering;

use serde_json::Number;

/// How `a` stands to `b`; `None` when one of them is no number that can be compared.
pub(super) fn compare(a: &Number, b: &Number) -> Option<Ordering> {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        (Some(a), None) => compare_whole(a, b.as_f64()?),
        (None, Some(b)) => compare_whole(b, a.as_f64()?).map(Ordering::reverse),
        (None, None) => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

fn whole(number: &Number) -> Option<i128> {
    let signed = number.as_i64().map(i128::from);
    signed.or_else(|| number.as_u64().map(i128::from))
}

/// `a` has 64 bits and a sign at most.
fn compare_whole(a: i128, b: f64) -> Option<Ordering> {
    const BEYOND: f64 = 36_893_488_147_419_103_232.0; // 2^65
    if b.is_nan() {
        return None;
    }
    if b >= BEYOND {
        return Some(Ordering::Less);
    }
    if b <= -BEYOND {
        return Some(Ordering::Greater);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole and below 2^65, so it is exact"
    )]
    let whole = b.trunc() as i128;
    match a.cmp(&whole) {
        Ordering::Equal => 0.0.partial_cmp(&b.fract()),
        unequal => Some(unequal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Number {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn numbers_compare_by_value() {
        use Ordering::{Equal, Greater, Less};
        for (a, b, expect) in [
            ("1", "1.0", Equal),
            ("0", "-0.0", Equal),
            ("-0.0", "0.0", Equal),
            ("10", "1e1", Equal),
            ("1", "1.5", Less),
            ("2", "1.5", Greater),
            ("-1", "-1.5", Greater),
            ("-2", "-1.5", Less),
            ("9007199254740993", "9007199254740992", Greater),
            ("9007199254740993", "9007199254740992.0", Greater),
            ("18446744073709551615", "18446744073709551614", Greater),
            ("18446744073709551615", "18446744073709551616", Less),
            ("18446744073709551615", "1.8446744073709552e19", Less),
            ("-9223372036854775808", "-9223372036854775808.0", Equal),
            ("-9223372036854775808", "18446744073709551615", Less),
            ("-9223372036854775808", "-1e300", Greater),
            ("18446744073709551615", "1e300", Less),
            ("0.1", "0.2", Less),
        ] {
            let (a, b) = (number(a), number(b));
            assert_eq!(compare(&a, &b), Some(expect), "{a} {b}");
            assert_eq!(compare(&b, &a), Some(expect.reverse()), "{b} {a}");
        }
    }

    fn any_number() -> impl Strategy<Value = Number> {
        prop_oneof![
            any::<i64>().prop_map(Number::from),
            any::<u64>().prop_map(Number::from),
            (-4_i64..4).prop_map(Number::from),
            (-8_i32..8).prop_map(|halves| Number::from_f64(f64::from(halves) / 2.0).unwrap()),
            any::<u64>().prop_filter_map("finite", |bits| Number::from_f64(f64::from_bits(bits))),
            (0_u32..70)
                .prop_map(|power| Number::from_f64(2_f64.powi(power.cast_signed())).unwrap()),
        ]
    }

    proptest! {
        #[test]
        fn the_order_is_total(a in any_number(), b in any_number(), c in any_number()) {
            let (ab, bc) = (compare(&a, &b).unwrap(), compare(&b, &c).unwrap());
            prop_assert_eq!(compare(&b, &a), Some(ab.reverse()));
            prop_assert_eq!(compare(&a, &a), Some(Ordering::Equal));
            if ab == bc {
                prop_assert_eq!(compare(&a, &c), Some(ab));
            }
        }
    }
}
