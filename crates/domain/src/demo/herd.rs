//! Kinds of animals with their weights: windows of DOMAIN.md §9, rates of gain as feeders see them.

use super::random::Random;

/// A kind of animal at a show.
#[derive(Debug)]
pub(super) struct Herd {
    pub(super) species: &'static str,
    pub(super) sex: &'static str,
    pub(super) pen_letter: char,
    breeds: &'static [&'static str],
    /// Pounds at the show.
    weight: (i64, i64),
    /// Days on feed before the show, and thousandths of a pound gained a day; none for breeding stock.
    feed: Option<Feed>,
    /// Age in days, for classes that go by age.
    age_days: Option<(i64, i64)>,
}

#[derive(Debug)]
struct Feed {
    days: (i64, i64),
    gain_x1000: (i64, i64),
}

/// An animal before it has an owner and a tag.
#[derive(Debug)]
pub(super) struct Animal {
    pub(super) species: &'static str,
    pub(super) breed: &'static str,
    pub(super) weight_x10: i64,
    /// Start weight and how many days ago it was taken.
    pub(super) start: Option<(i64, i64)>,
    pub(super) born_days_ago: Option<i64>,
    pub(super) has_official_id: bool,
    pub(super) arrived: bool,
    pub(super) weighed: bool,
}

const CATTLE: &[&str] = &["Angus", "Hereford", "Shorthorn", "Charolais", "Simmental", "Crossbred"];
const SWINE: &[&str] = &["Duroc", "Hampshire", "Yorkshire", "Berkshire", "Spotted", "Crossbred"];
const SHEEP: &[&str] = &["Suffolk", "Hampshire", "Dorset", "Southdown", "Crossbred"];
const GOATS: &[&str] = &["Boer", "Kiko", "Spanish", "Crossbred"];

const CATTLE_FEED: Option<Feed> = Some(Feed { days: (120, 190), gain_x1000: (2_400, 3_900) });
const SWINE_FEED: Option<Feed> = Some(Feed { days: (85, 110), gain_x1000: (1_450, 1_900) });
const LAMB_FEED: Option<Feed> = Some(Feed { days: (60, 95), gain_x1000: (350, 650) });
const GOAT_FEED: Option<Feed> = Some(Feed { days: (60, 95), gain_x1000: (150, 320) });

/// Index of each kind in [`HERDS`].
pub(super) const STEERS: usize = 0;
pub(super) const HEIFERS: usize = 1;
pub(super) const GILTS: usize = 2;
pub(super) const BARROWS: usize = 3;
pub(super) const LAMBS: usize = 4;
pub(super) const EWES: usize = 5;
pub(super) const GOAT_WETHERS: usize = 6;
pub(super) const DOES: usize = 7;

/// The kinds, in the order in which DOMAIN.md counts them.
pub(super) const HERDS: [Herd; 8] = [
    herd("cattle", "steer", 'C', CATTLE, (1_050, 1_550), CATTLE_FEED, None),
    herd("cattle", "heifer", 'C', CATTLE, (1_000, 1_550), None, Some((380, 700))),
    herd("swine", "gilt", 'S', SWINE, (220, 290), SWINE_FEED, None),
    herd("swine", "barrow", 'S', SWINE, (220, 290), SWINE_FEED, None),
    herd("sheep", "wether", 'L', SHEEP, (100, 170), LAMB_FEED, None),
    herd("sheep", "ewe", 'L', SHEEP, (100, 170), None, Some((150, 600))),
    herd("goat", "wether", 'G', GOATS, (50, 110), GOAT_FEED, None),
    herd("goat", "doe", 'G', GOATS, (50, 110), None, Some((120, 600))),
];

const fn herd(
    species: &'static str,
    sex: &'static str,
    pen_letter: char,
    breeds: &'static [&'static str],
    weight: (i64, i64),
    feed: Option<Feed>,
    age_days: Option<(i64, i64)>,
) -> Herd {
    Herd { species, sex, pen_letter, breeds, weight, feed, age_days }
}

impl Herd {
    /// A place for the species among the ranges of tags.
    pub(super) fn species_range(&self) -> usize {
        match self.species {
            "cattle" => 0,
            "swine" => 1,
            "sheep" => 2,
            _ => 3,
        }
    }

    /// An animal of this kind; of the class's breed if it has one.
    pub(super) fn animal(&self, breed: Option<&'static str>, random: &mut Random) -> Animal {
        let breed = breed.unwrap_or_else(|| self.breeds[random.below(self.breeds.len())]);
        let weight_x10 = random.between(self.weight.0, self.weight.1) * 10;
        let start = self.feed.as_ref().and_then(|feed| {
            let days = random.between(feed.days.0, feed.days.1);
            let gain_x1000 = random.between(feed.gain_x1000.0, feed.gain_x1000.1) * days;
            let start_x10 = (weight_x10 - gain_x1000 / 100) / 10 * 10;
            let known = random.percent(90);
            (known && start_x10 > 0).then_some((start_x10, days))
        });
        let weighed = random.percent(50);
        Animal {
            species: self.species,
            breed,
            weight_x10,
            start,
            born_days_ago: self.age_days.map(|(young, old)| random.between(young, old)),
            has_official_id: random.percent(92),
            arrived: weighed || random.percent(25),
            weighed,
        }
    }
}
