//! Reads the header by which a phone says up to where it has heard its stream. It comes from strangers.

/// The digits of the largest number that a stream can have.
const DIGITS_MAX: usize = 19;

/// The number in a `Last-Event-ID`; none if it is none of ours.
pub(crate) fn last_event(value: &[u8]) -> Option<i64> {
    let digits = (1..=DIGITS_MAX).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    if !digits {
        return None;
    }
    // Nineteen digits may still be too many.
    value.iter().try_fold(0_i64, |number, digit| number.checked_mul(10)?.checked_add(i64::from(digit - b'0')))
}

#[cfg(test)]
#[path = "../../../fuzz/checks/last_event.rs"]
mod check;

#[cfg(test)]
mod tests {
    #[test]
    fn every_kept_number_of_the_fuzzer_holds() {
        crate::corpus::replay("last_event", super::check::check);
    }
}
