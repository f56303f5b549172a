//! The axis of amounts: round numbers from zero, and how values are written.

use crate::model::Unit;

/// An axis from zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Amounts {
    /// The topmost number.
    pub(crate) top: f64,
    /// From one line to the next.
    pub(crate) step: f64,
    pub(crate) unit: Unit,
}

/// Steps are these times a power of ten.
const ROUND: [f64; 4] = [1.0, 2.0, 2.5, 5.0];

impl Amounts {
    /// The axis for values up to a largest one, with at most so many steps.
    pub(crate) fn up_to(largest: f64, steps_max: u32, unit: Unit) -> Self {
        let steps_max = f64::from(steps_max.max(1));
        if unit == Unit::Percent {
            let step = if steps_max >= 4.0 { 25.0 } else { 50.0 };
            return Self { top: 100.0, step, unit };
        }
        // Without any value the axis still says what it counts.
        let largest = if largest.is_finite() && largest > 0.0 { largest } else { steps_max };
        let finest = largest / steps_max;
        let power = 10_f64.powf(finest.log10().floor());
        let steps = [power, power * 10.0].into_iter().flat_map(|power| ROUND.map(|round| round * power));
        let fits =
            |step: &f64| (unit != Unit::Count || step.fract() == 0.0) && *step * steps_max >= largest * 0.999_999;
        let step = steps.into_iter().find(fits).unwrap_or_else(|| finest.ceil());
        Self { top: step * (largest / step - 0.000_001).ceil(), step, unit }
    }

    /// The numbers at the lines, from zero.
    pub(crate) fn lines(self) -> impl Iterator<Item = f64> {
        let count = (self.top / self.step).round();
        (0_u8..=20).map(f64::from).take_while(move |index| *index <= count).map(move |index| index * self.step)
    }

    /// A number at a line. The unit stands in the subtitle.
    pub(crate) fn label(self, value: f64) -> String {
        let digits = usize::from(self.step.fract() != 0.0);
        grouped(&format!("{value:.digits$}"))
    }
}

/// A value with its unit, as people say it.
pub(crate) fn said(value: f64, unit: Unit) -> String {
    let digits = usize::from(value.abs() < 10.0 && unit != Unit::Count && (value * 10.0).round() % 10.0 != 0.0);
    let number = grouped(&format!("{value:.digits$}"));
    match unit {
        Unit::Milliseconds => format!("{number} ms"),
        Unit::Count => number,
        Unit::Percent => format!("{number} %"),
        Unit::Megabytes => format!("{number} MB"),
        Unit::Gigabytes => format!("{number} GB"),
    }
}

/// 12345 → `12,345`.
fn grouped(number: &str) -> String {
    let (whole, rest) = number.find('.').map_or((number, ""), |point| number.split_at(point));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut text = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_axis_ends_at_a_round_number_above_the_values() {
        let table = [
            (580.0, Unit::Milliseconds, 600.0, 200.0),
            (620.0, Unit::Milliseconds, 800.0, 200.0),
            (330.0, Unit::Count, 400.0, 100.0),
            (34.0, Unit::Count, 40.0, 10.0),
            (400.0, Unit::Count, 400.0, 100.0),
            (3.0, Unit::Count, 3.0, 1.0),
            (0.0, Unit::Count, 4.0, 1.0),
            (0.7, Unit::Gigabytes, 0.8, 0.2),
            (1.0, Unit::Megabytes, 1.0, 0.25),
            (f64::NAN, Unit::Milliseconds, 4.0, 1.0),
            (97.0, Unit::Percent, 100.0, 25.0),
        ];
        for (largest, unit, top, step) in table {
            let axis = Amounts::up_to(largest, 4, unit);
            assert!((axis.top - top).abs() < 1e-9 && (axis.step - step).abs() < 1e-9, "{largest}: {axis:?}");
        }
    }

    #[test]
    fn values_are_said_with_their_unit() {
        assert_eq!(said(12_345.6, Unit::Milliseconds), "12,346 ms");
        assert_eq!(said(2.44, Unit::Milliseconds), "2.4 ms");
        assert_eq!(said(2.0, Unit::Gigabytes), "2 GB");
        assert_eq!(said(94.4, Unit::Percent), "94 %");
        assert_eq!(said(-1_000.0, Unit::Count), "-1,000");
    }

    proptest! {
        #[test]
        fn every_value_has_room_and_few_lines(largest in 0.001..1e12_f64, steps_max in 2..7_u32, whole: bool) {
            let unit = if whole { Unit::Count } else { Unit::Milliseconds };
            let axis = Amounts::up_to(largest, steps_max, unit);
            prop_assert!(axis.top >= largest * 0.999_99, "{:?}", axis);
            let lines = axis.lines().count();
            prop_assert!((2..=steps_max as usize + 1).contains(&lines), "{:?}", axis);
            prop_assert!(!whole || axis.step.fract() == 0.0);
        }
    }
}
