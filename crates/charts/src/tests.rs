//! The charts as a reader of SVG sees them: where words stand, what hostile words and figures do.

#[path = "../tests/scene/mod.rs"]
mod scene;

use chrono::TimeDelta;
use chrono_tz::America::Chicago;
use proptest::prelude::*;
use resvg::tiny_skia::{Pixmap, Rect};
use resvg::usvg::{Group, Node, TextChunk, roxmltree};

use crate::catalogue::{self, EntriesIn, ResponseTime};
use crate::model::{Event, EventKind, Frame};
use crate::{Chart, Ink, png};

/// The widths a tile may have, and the report's.
const WIDTHS: [u16; 6] = [320, 400, 504, 640, 900, 1_200];

fn tile() -> Frame {
    Frame { events: scene::events(), ..Frame::tile(Chicago) }
}

/// All words of a drawing with the boxes they fill.
fn words_of(group: &Group, found: &mut Vec<(String, Rect)>) {
    for node in group.children() {
        match node {
            Node::Group(group) => words_of(group, found),
            Node::Text(text) => {
                let said = text.chunks().iter().map(TextChunk::text).collect();
                found.push((said, text.abs_bounding_box()));
            }
            Node::Path(_) | Node::Image(_) => {}
        }
    }
}

fn words(chart: &Chart, frame: &Frame) -> Vec<(String, Rect)> {
    let tree = png::read(&chart.svg(frame, Ink::Light)).unwrap();
    let mut found = Vec::new();
    words_of(tree.root(), &mut found);
    found
}

#[test]
fn every_word_is_inside_the_picture_at_every_width() {
    for width in WIDTHS {
        let frame = Frame { width, ..tile() };
        for chart in scene::charts() {
            let found = words(&chart, &frame);
            assert!(found.len() > 5, "{} has no words", chart.key);
            for (said, place) in found {
                let inside = place.left() >= 0.0 && place.right() <= f32::from(width) && place.bottom() <= 200.0;
                assert!(inside, "{} at {width}: {said} at {place:?}", chart.key);
            }
        }
    }
}

#[test]
fn no_two_words_overlap_at_any_width() {
    for width in WIDTHS {
        let frame = Frame { width, ..tile() };
        for chart in scene::charts() {
            let found = words(&chart, &frame);
            for (index, (one, here)) in found.iter().enumerate() {
                for (other, there) in &found[index + 1..] {
                    // The boxes of two lines may touch: they are as high as the tallest letter of the font.
                    let across = here.left() < there.right() && there.left() < here.right();
                    let down = (here.bottom() - there.bottom()).abs() < 9.0;
                    assert!(!(across && down), "{} at {width}: {one} {here:?} and {other} {there:?}", chart.key);
                }
            }
        }
    }
}

#[test]
fn words_are_as_wide_as_they_were_measured() {
    let found = words(&scene::response_time(), &tile());
    let (_, title) = found.iter().find(|(said, _)| said == "Response time").unwrap();
    let measured = crate::text::width("Response time", 15.0, crate::text::Weight::SemiBold);
    assert!((f64::from(title.width()) - measured).abs() < 4.0, "{title:?} {measured}");
}

#[test]
fn a_picture_has_its_size_its_ground_and_its_words() {
    let frame = tile();
    for (ink, ground) in [(Ink::Light, [255, 255, 255]), (Ink::Dark, [0x12, 0x13, 0x0f]), (Ink::Variables, [255; 3])] {
        let bytes = scene::storage().png(&frame, ink, 2).unwrap();
        let picture = Pixmap::decode_png(&bytes).unwrap();
        assert_eq!((picture.width(), picture.height()), (1_008, 400));
        let colour = |x, y| picture.pixel(x, y).map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).unwrap();
        assert_eq!(colour(1, 1), ground);
        let title = (32..240).flat_map(|x| (28..52).map(move |y| (x, y)));
        assert!(title.filter(|(x, y)| colour(*x, *y) != ground).count() > 500, "the title is not there");
    }
    assert!(scene::storage().png(&Frame { width: 5_000, ..frame }, Ink::Light, 2).is_err());
}

#[test]
fn a_line_ends_where_nothing_was_measured() {
    let chart = scene::requests();
    let svg = chart.svg(&Frame::tile(Chicago), Ink::Variables);
    let document = roxmltree::Document::parse(&svg).unwrap();
    let series = document.descendants().find(|node| node.attribute("class") == Some("series requests")).unwrap();
    let numbers = |way: &str| -> Vec<f64> {
        way.split(['M', 'L', ' ']).filter(|word| !word.is_empty()).map(|word| word.parse().unwrap()).collect()
    };
    let piece = |way: roxmltree::Node<'_, '_>| {
        let ends = |from: &str, to: &str| (from.parse().unwrap(), to.parse().unwrap());
        way.attribute("d").map_or_else(
            || ends(way.attribute("x1").unwrap(), way.attribute("x2").unwrap()),
            |way| (numbers(way)[0], numbers(way)[numbers(way).len() - 2]),
        )
    };
    let ends: Vec<(f64, f64)> = series.children().map(piece).collect();
    assert_eq!(ends.len(), 3, "two gaps make three pieces: {ends:?}");
    // Steps 66 to 75 and 78 of 117 are missing; each is 3.8 pixels wide.
    assert!((ends[1].0 - ends[0].1 - 11.0 * (ends[2].1 - ends[0].0) / 117.0).abs() < 0.2, "{ends:?}");
    assert_eq!(svg.matches("class=\"silence\"").count(), 1);
}

#[test]
fn a_rare_value_is_seen_among_many() {
    let values = EntriesIn { saved: vec![Some(5_000.0)], refused: vec![Some(1.0)], ..EntriesIn::default() };
    let svg = catalogue::entries_in(scene::steps(60, 1), values).svg(&Frame::tile(Chicago), Ink::Variables);
    let document = roxmltree::Document::parse(&svg).unwrap();
    let refused = document.descendants().find(|node| node.attribute("class") == Some("series refused")).unwrap();
    let height: f64 = refused.first_element_child().unwrap().attribute("height").unwrap().parse().unwrap();
    assert!(height >= 1.5, "{height}");
}

#[test]
fn a_limit_far_above_the_values_does_not_flatten_them() {
    let chart = |alert_ms| {
        let values = ResponseTime { p95: vec![Some(90.0); 3], alert_ms: Some(alert_ms), ..ResponseTime::default() };
        catalogue::response_time(scene::steps(5, 3), values).svg(&Frame::tile(Chicago), Ink::Variables)
    };
    assert!(!chart(500.0).contains("Alert at"));
    assert!(chart(150.0).contains("Alert at 150 ms"));
}

fn figure() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        2 => Just(None),
        6 => (0.0..1_000.0_f64).prop_map(Some),
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(-5.0), Just(1e300), Just(f64::MIN_POSITIVE)].prop_map(Some),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_is_measured_and_said_becomes_a_whole_picture(
        figures in prop::collection::vec([figure(), figure(), figure(), figure()], 1..90),
        said in "\\PC{0,40}|[<>&\"'\\x00-\\x1f]{0,20}", minutes in 1..90_i64, width in 160..1_400_u16, height in 120..500_u16,
    ) {
        let values = |column: usize| figures.iter().map(|row| row[column]).collect::<Vec<_>>();
        let steps = || scene::steps(minutes, figures.len());
        let at = scene::morning() + TimeDelta::minutes(minutes * 2);
        let events = vec![Event { at, kind: EventKind::Other, words: said.clone() }];
        let frame = Frame { width, height, events, ..Frame::tile(Chicago) };
        let times = ResponseTime {
            p50: values(0), p95: values(1), p99: values(2), errors: values(3), alert_ms: Some(500.0), p95_before: Some(values(3)),
        };
        let entries = EntriesIn { saved: values(0), joined: values(1), needs_checking: values(2), refused: values(3) };
        for chart in [
            catalogue::response_time(steps(), times),
            catalogue::entries_in(steps(), entries),
            catalogue::phones(steps(), values(0), values(1)),
            catalogue::slow_spots(steps(), vec![(said.clone(), values(0)), ("b".to_owned(), values(1))]),
        ] {
            let svg = chart.svg(&frame, Ink::Variables);
            let document = roxmltree::Document::parse(&svg);
            prop_assert!(document.is_ok(), "{:?}", document.err());
            prop_assert!(!svg.contains("NaN") && !svg.contains("inf\""), "{}", svg);
            prop_assert_eq!(chart.table(&frame).csv().matches("\r\n").count() > 1, true);
        }
    }
}
