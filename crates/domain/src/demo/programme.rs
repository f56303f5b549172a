//! The classes of an invented show: 70 with those of single breeds.

use super::herd::{BARROWS, DOES, EWES, GILTS, GOAT_WETHERS, HEIFERS, LAMBS, STEERS};
use super::names::AGE_DIVISIONS;

pub(super) const SHOWMANSHIP: &str = "showmanship";
const MARKET: &str = "market";
const BREEDING: &str = "breeding";

/// A class that people enter.
#[derive(Debug, Clone)]
pub(super) struct ClassSpec {
    pub(super) department: &'static str,
    pub(super) division: &'static str,
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) min_x10: Option<i64>,
    /// Index of the kind of animals it is for; none for showmanship.
    pub(super) herd: Option<usize>,
    /// The breed it is for; none if any may enter.
    pub(super) breed: Option<&'static str>,
}

/// Department, division, name, kind, kind of animals, and the least weight of market animals.
type OpenClass = (&'static str, &'static str, &'static str, &'static str, usize, Option<i64>);
/// Department, division, what follows the breed in the name, kind, kind of animals, breeds.
type BreedClasses = (&'static str, &'static str, &'static str, &'static str, usize, &'static [&'static str]);

/// Classes that any breed may enter.
const OPEN_CLASSES: &[OpenClass] = &[
    ("cattle", "Market Beef", "Market Steer", MARKET, STEERS, Some(11_500)),
    ("cattle", "Market Beef", "Market Heifer", MARKET, HEIFERS, Some(10_000)),
    ("swine", "Market Swine", "Market Hog", MARKET, BARROWS, Some(2_200)),
    ("sheep", "Market Sheep", "Market Lamb", MARKET, LAMBS, Some(1_000)),
    ("sheep", "Breeding Sheep", "Ewe Lamb", BREEDING, EWES, None),
    ("sheep", "Breeding Sheep", "Yearling Ewe", BREEDING, EWES, None),
    ("goat", "Market Goat", "Market Goat", MARKET, GOAT_WETHERS, Some(500)),
    ("goat", "Breeding Goat", "Breeding Doe", BREEDING, DOES, None),
    ("goat", "Breeding Goat", "Junior Doe Kid", BREEDING, DOES, None),
    ("goat", "Breeding Goat", "Senior Doe Kid", BREEDING, DOES, None),
    ("goat", "Breeding Goat", "Yearling Doe", BREEDING, DOES, None),
];

/// Classes of single breeds.
const BREED_CLASSES: &[BreedClasses] = &[
    (
        "cattle",
        "Market Beef",
        "Market Steer",
        MARKET,
        STEERS,
        &["Angus", "Hereford", "Shorthorn", "Charolais", "Simmental", "Limousin", "Holstein"],
    ),
    (
        "cattle",
        "Breeding Beef",
        "Heifer",
        BREEDING,
        HEIFERS,
        &[
            "Angus",
            "Hereford",
            "Shorthorn",
            "Charolais",
            "Simmental",
            "Limousin",
            "Maine-Anjou",
            "Chianina",
            "Red Angus",
            "Commercial",
        ],
    ),
    (
        "swine",
        "Market Swine",
        "Barrow",
        MARKET,
        BARROWS,
        &[
            "Crossbred",
            "Duroc",
            "Hampshire",
            "Yorkshire",
            "Berkshire",
            "Spotted",
            "Chester White",
            "Poland China",
            "Landrace",
        ],
    ),
    (
        "swine",
        "Breeding Swine",
        "Gilt",
        BREEDING,
        GILTS,
        &[
            "Crossbred",
            "Duroc",
            "Hampshire",
            "Yorkshire",
            "Berkshire",
            "Spotted",
            "Chester White",
            "Poland China",
            "Landrace",
        ],
    ),
    (
        "sheep",
        "Market Sheep",
        "Market Lamb",
        MARKET,
        LAMBS,
        &["Crossbred", "Suffolk", "Hampshire", "Dorset", "Southdown"],
    ),
    ("sheep", "Breeding Sheep", "Ewe", BREEDING, EWES, &["Suffolk", "Dorset", "Southdown", "North Country Cheviot"]),
    ("goat", "Market Goat", "Market Goat", MARKET, GOAT_WETHERS, &["Crossbred", "Boer"]),
    ("goat", "Breeding Goat", "Doe", BREEDING, DOES, &["Boer"]),
];

const SPECIES: [&str; 4] = ["cattle", "swine", "sheep", "goat"];

/// All classes; without `breed_classes` only open and crossbred ones.
pub(super) fn programme(breed_classes: bool) -> Vec<ClassSpec> {
    let mut classes = Vec::new();
    for department in SPECIES {
        for class in OPEN_CLASSES.iter().filter(|class| class.0 == department) {
            let (department, division, name, kind, herd, min_x10) = *class;
            let (herd, breed) = (Some(herd), None);
            classes.push(ClassSpec { department, division, name: name.to_owned(), kind, min_x10, herd, breed });
        }
        for (_, division, name, kind, herd, breeds) in BREED_CLASSES.iter().filter(|class| class.0 == department) {
            for breed in breeds.iter().filter(|breed| breed_classes || **breed == "Crossbred") {
                let (name, herd, breed) = (format!("{breed} {name}"), Some(*herd), Some(*breed));
                classes.push(ClassSpec { department, division, name, kind, min_x10: None, herd, breed });
            }
        }
        for division in AGE_DIVISIONS {
            let word = match department {
                "cattle" => "Beef",
                "swine" => "Swine",
                "sheep" => "Sheep",
                _ => "Goat",
            };
            let name = format!("{division} {word} Showmanship");
            classes.push(ClassSpec {
                department,
                division,
                name,
                kind: SHOWMANSHIP,
                min_x10: None,
                herd: None,
                breed: None,
            });
        }
    }
    classes
}
