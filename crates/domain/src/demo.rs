//! Invented shows to try things on: the same size gives the same people, animals and ids every time.
//!
//! Everything is made up. Numbers, tags and official identities keep clear of the example entries
//! file (`tests/vectors/demo-entries.csv`), so that it can be imported into any of them.

mod herd;
mod names;
mod programme;
mod random;

#[cfg(test)]
mod tests;

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::ids::natural_id;
use crate::op::{OpDraft, Operation};
use herd::{Animal, HERDS, Herd};
use programme::{ClassSpec, SHOWMANSHIP, programme};
use random::Random;

/// The name of every demo show.
pub const SHOW_NAME: &str = "Cedar County Fair";
/// Where it is held.
pub const SHOW_VENUE: &str = "Cedar County Fairgrounds";

/// Heads a kind of animal in the order of [`HERDS`]: steers, heifers, gilts, barrows, lambs, ewes, goats, does.
type Heads = [usize; HERDS.len()];

/// How large an invented show is.
#[derive(Debug, Clone, Copy)]
struct Size {
    exhibitors: usize,
    first_back_number: i64,
    heads: Heads,
    showmanship_entries: usize,
    rings: usize,
    /// Whether there are classes of single breeds.
    breed_classes: bool,
    /// Tags begin here; each species has its own range after it.
    first_tag: usize,
}

/// Moment and person that the invented past hangs on.
#[derive(Debug, Clone, Copy)]
pub struct DemoMoment {
    /// The moment of filling: animals arrived and were weighed in the hours before it.
    pub at: DateTime<Utc>,
    /// Who checked them in.
    pub person: Uuid,
}

/// 28 exhibitors, 60 animals: for tests and first looks.
pub fn small(moment: DemoMoment) -> Vec<OpDraft> {
    let heads = [8, 8, 10, 12, 8, 4, 6, 4];
    fill(
        Size {
            exhibitors: 28,
            first_back_number: 201,
            heads,
            showmanship_entries: 12,
            rings: 1,
            breed_classes: false,
            first_tag: 4_001,
        },
        moment,
    )
}

/// A county fair: 240 exhibitors, 520 animals, 640 entries, 70 classes, 2 rings.
pub fn county(moment: DemoMoment) -> Vec<OpDraft> {
    let heads = [60, 70, 90, 110, 70, 40, 50, 30];
    fill(
        Size {
            exhibitors: 240,
            first_back_number: 201,
            heads,
            showmanship_entries: 120,
            rings: 2,
            breed_classes: true,
            first_tag: 4_001,
        },
        moment,
    )
}

/// A youth expo: 7,000 exhibitors, 21,000 animals in the mix of a real one's published counts.
pub fn expo(moment: DemoMoment) -> Vec<OpDraft> {
    const HEADS: usize = 21_000;
    let heads = share_out(HEADS, [723, 1_865, 5_760, 5_851, 1_760, 1_228, 1_060, 1_230]);
    fill(
        Size {
            exhibitors: 7_000,
            first_back_number: 1_001,
            heads,
            showmanship_entries: 0,
            rings: 4,
            breed_classes: true,
            first_tag: 20_001,
        },
        moment,
    )
}

/// Splits `total` in the proportion of `parts`: what rounding leaves over goes to the largest rests.
fn share_out(total: usize, parts: Heads) -> Heads {
    let whole: usize = parts.iter().sum();
    let mut shares = parts.map(|part| total * part / whole);
    let mut by_rest: Vec<usize> = (0..parts.len()).collect();
    by_rest.sort_by_key(|index| std::cmp::Reverse(total * parts[*index] % whole));
    let left_over = total - shares.iter().sum::<usize>();
    for index in by_rest.into_iter().take(left_over) {
        shares[index] += 1;
    }
    shares
}

fn fill(size: Size, moment: DemoMoment) -> Vec<OpDraft> {
    let mut show = Maker { random: Random::new(0x5eed_2026), ops: Vec::new(), moment };
    let rings = show.rings(size.rings);
    let exhibitors = show.exhibitors(size);
    let classes = show.classes(&programme(size.breed_classes), &rings);
    let animals = show.animals(size, &exhibitors, &classes);
    show.showmanship(size, &exhibitors, &classes, &animals);
    show.weigh_ins(&animals);
    show.ops
}

struct Maker {
    random: Random,
    ops: Vec<OpDraft>,
    moment: DemoMoment,
}

struct Exhibitor {
    id: Uuid,
    age_division: &'static str,
}

struct Class {
    id: Uuid,
    spec: ClassSpec,
}

struct Placed {
    id: Uuid,
    owner: usize,
    animal: Animal,
    tag: String,
}

impl Maker {
    fn insert(&mut self, table_name: &'static str, record_id: Uuid, data: Json) {
        let Json::Object(data) = data else { unreachable!("every caller passes an object") };
        let data: Map<String, Json> = data.into_iter().filter(|(_, value)| !value.is_null()).collect();
        let op_id = self.random.id();
        let operation = Operation::Insert;
        self.ops.push(OpDraft {
            op_id,
            table_name,
            record_id,
            operation,
            base_version: 0,
            data,
            base: None,
            reason: None,
        });
    }

    fn rings(&mut self, count: usize) -> Vec<Uuid> {
        let ids: Vec<Uuid> = (0..count).map(|_| self.random.id()).collect();
        for (index, id) in ids.iter().enumerate() {
            self.insert(
                "rings",
                *id,
                json!({"name": format!("Ring {}", index + 1), "seq": index + 1, "status": "open"}),
            );
        }
        ids
    }

    fn exhibitors(&mut self, size: Size) -> Vec<Exhibitor> {
        let mut exhibitors = Vec::with_capacity(size.exhibitors);
        for (index, back_number) in (0..size.exhibitors).zip(size.first_back_number..) {
            let (first_name, last_name) = names::person(index);
            let (club, program) = names::CLUBS[self.random.below(names::CLUBS.len())];
            let age_division = names::AGE_DIVISIONS[self.random.below(names::AGE_DIVISIONS.len())];
            let id = self.random.id();
            let data = json!({
                "back_number": back_number,
                "first_name": first_name,
                "last_name": last_name,
                "club_chapter": club,
                "program": program,
                "county": "Cedar",
                "age_division": age_division,
            });
            self.insert("exhibitors", id, data);
            exhibitors.push(Exhibitor { id, age_division });
        }
        exhibitors
    }

    fn classes(&mut self, specs: &[ClassSpec], rings: &[Uuid]) -> Vec<Class> {
        const MINUTES_A_CLASS: i64 = 12;
        let first_class_at = self.moment.at + Duration::hours(14);
        let mut classes = Vec::with_capacity(specs.len());
        for (index, spec) in specs.iter().enumerate() {
            let place = i64::try_from(index / rings.len()).expect("a show has few classes");
            let id = self.random.id();
            let data = json!({
                "department": spec.department,
                "division": spec.division,
                "code": (101 + index).to_string(),
                "name": spec.name,
                "kind": spec.kind,
                "min_x10": spec.min_x10,
                "ring_id": rings[index % rings.len()],
                "seq": place + 1,
                "planned_at": instant(first_class_at + Duration::minutes(place * MINUTES_A_CLASS)),
            });
            self.insert("classes", id, data);
            classes.push(Class { id, spec: spec.clone() });
        }
        classes
    }

    /// Each kind's heads go through its classes in turn; every exhibitor has one animal before any has two.
    fn animals(&mut self, size: Size, exhibitors: &[Exhibitor], classes: &[Class]) -> Vec<Placed> {
        let mut kinds: Vec<(usize, usize)> = size
            .heads
            .iter()
            .enumerate()
            .flat_map(|(kind, heads)| (0..*heads).map(move |place| (kind, place)))
            .collect();
        self.random.shuffle(&mut kinds);
        let mut next_tag = [0_usize; HERDS.len()];
        let mut placed = Vec::with_capacity(kinds.len());
        for (index, (kind, place)) in kinds.into_iter().enumerate() {
            let herd = &HERDS[kind];
            let owner = if index < exhibitors.len() { index } else { self.random.below(exhibitors.len()) };
            let of_kind: Vec<&Class> = classes.iter().filter(|class| class.spec.herd == Some(kind)).collect();
            let class = of_kind[place % of_kind.len()];
            let animal = herd.animal(class.spec.breed, &mut self.random);
            let range = herd.species_range();
            next_tag[range] += 1;
            // Ranges of 20,000 in a big show and of 1,000 in a small one: tags stay short where they can.
            let width = if size.first_tag > 10_000 { 20_000 } else { 1_000 };
            let tag = (size.first_tag + range * width + next_tag[range] - 1).to_string();
            let id = self.random.id();
            self.animal(herd, &animal, [id, exhibitors[owner].id, class.id], &tag, index);
            placed.push(Placed { id, owner, animal, tag });
        }
        placed
    }

    fn animal(&mut self, herd: &Herd, animal: &Animal, [id, owner, class]: [Uuid; 3], tag: &str, index: usize) {
        let today = self.moment.at.date_naive();
        let arrived_at = animal.arrived.then(|| self.earlier(index) - Duration::minutes(20));
        let pen = format!("{}{}", herd.pen_letter, 1 + index / 4);
        let data = json!({
            "exhibitor_id": owner,
            "species": herd.species,
            "sex": herd.sex,
            "breed": animal.breed,
            "tag": tag,
            "official_id": animal.has_official_id.then(|| format!("8400032{:08}", index + 1)),
            "pen": pen,
            "init_weight_x10": animal.start.map(|(weight_x10, _)| weight_x10),
            "init_weighed_on": animal.start.map(|(_, days)| (today - Duration::days(days)).to_string()),
            "born_on": animal.born_days_ago.map(|days| (today - Duration::days(days)).to_string()),
            "arrived_at": arrived_at.map(instant),
            "arrived_by": arrived_at.map(|_| self.moment.person),
            "id_check": arrived_at.map(|_| "match"),
        });
        self.insert("animals", id, data);
        let status = if animal.arrived { "checked_in" } else { "entered" };
        let entry = json!({"exhibitor_id": owner, "animal_id": id, "family_id": class, "status": status});
        self.insert("entries", natural_id(class, id), entry);
    }

    /// Showmanship is judged on the person: the entry has no animal. One a person, in the species of an own animal.
    fn showmanship(&mut self, size: Size, exhibitors: &[Exhibitor], classes: &[Class], animals: &[Placed]) {
        for animal in animals.iter().take(size.showmanship_entries) {
            let exhibitor = &exhibitors[animal.owner];
            let class = classes.iter().find(|class| {
                class.spec.kind == SHOWMANSHIP
                    && class.spec.department == animal.animal.species
                    && class.spec.division.eq_ignore_ascii_case(exhibitor.age_division)
            });
            let class = class.expect("each species has a showmanship class for each age division");
            let data = json!({"exhibitor_id": exhibitor.id, "family_id": class.id});
            self.insert("entries", natural_id(class.id, exhibitor.id), data);
        }
    }

    fn weigh_ins(&mut self, animals: &[Placed]) {
        for (index, placed) in animals.iter().enumerate().filter(|(_, placed)| placed.animal.weighed) {
            let data = json!({
                "animal_id": placed.id,
                "kind": "arrival",
                "weight_x10": placed.animal.weight_x10,
                "unit": "lb",
                "scale": format!("Scale {}", 1 + index % 2),
                "weighed_at": instant(self.earlier(index)),
                "tag_read": placed.tag,
                "source": "scale",
            });
            let id = self.random.id();
            self.insert("weigh_ins", id, data);
        }
    }

    /// A moment in the six hours before now, later for later animals.
    fn earlier(&self, index: usize) -> DateTime<Utc> {
        const SECONDS: i64 = 6 * 60 * 60;
        let index = i64::try_from(index).expect("a show has few animals");
        self.moment.at - Duration::seconds(SECONDS - index * 37 % SECONDS)
    }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
