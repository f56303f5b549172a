//! Which class a clash touches: the one that must not begin before somebody has decided.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use showdesk_domain::conflict::Conflict;
use showdesk_store::programme::ClassRow;
use showdesk_store::{Tx, programme};
use uuid::Uuid;

use crate::Result;

/// Where a clash stands in the programme: by a class, by an animal's classes or by an exhibitor's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Class(Uuid),
    Animal(Uuid),
    Exhibitor(Uuid),
}

/// The classes that some clashes touch.
pub(crate) struct Touched(HashMap<Place, ClassRow>);

impl Touched {
    /// Reads the classes that these clashes touch.
    pub(crate) async fn by(tx: &mut Tx, clashes: &[Conflict]) -> Result<Self> {
        let mut places: Vec<Place> = clashes.iter().filter_map(place_of).collect();
        places.sort_by_key(Place::id);
        places.dedup();
        let ids = |wanted: fn(&Place) -> bool| -> Vec<Uuid> {
            places.iter().filter(|place| wanted(place)).map(Place::id).collect()
        };
        let mut touched = Self(HashMap::new());
        for class in programme::classes(tx, &ids(|place| matches!(place, Place::Class(_)))).await? {
            touched.add(Place::Class(class.id), class);
        }
        for (animal, class) in programme::of_animals(tx, &ids(|place| matches!(place, Place::Animal(_)))).await? {
            touched.add(Place::Animal(animal), class);
        }
        for (exhibitor, class) in
            programme::of_exhibitors(tx, &ids(|place| matches!(place, Place::Exhibitor(_)))).await?
        {
            touched.add(Place::Exhibitor(exhibitor), class);
        }
        Ok(touched)
    }

    /// The class that the clash touches: of several the first that is not over.
    pub(crate) fn class_of(&self, clash: &Conflict) -> Option<&ClassRow> {
        self.0.get(&place_of(clash)?)
    }

    /// When the first of the classes is planned that these clashes touch and that is not over.
    pub(crate) fn first_planned(&self, clashes: &[Conflict]) -> Option<DateTime<Utc>> {
        let touched = clashes.iter().filter_map(|clash| self.class_of(clash));
        touched.filter(|class| !is_over(class)).filter_map(|class| class.planned_at).min()
    }

    fn add(&mut self, place: Place, class: ClassRow) {
        let known = self.0.entry(place).or_insert_with(|| class.clone());
        if order(&class) < order(known) {
            *known = class;
        }
    }
}

impl Place {
    fn id(&self) -> Uuid {
        match self {
            Self::Class(id) | Self::Animal(id) | Self::Exhibitor(id) => *id,
        }
    }
}

/// Nobody waits for it any more.
pub(crate) fn is_over(class: &ClassRow) -> bool {
    ["judged", "official", "cancelled", "combined_into"].contains(&class.status.as_str())
}

fn order(class: &ClassRow) -> impl Ord {
    (is_over(class), class.planned_at.is_none(), class.planned_at, class.code.clone(), class.id)
}

fn place_of(clash: &Conflict) -> Option<Place> {
    let reference = |path: &str| {
        let rows = [clash.server_data.as_ref(), clash.client_data.as_ref()];
        let mut ids = rows.into_iter().flatten().filter_map(|row| row.get(path)).filter_map(Json::as_str);
        ids.find_map(|id| Uuid::try_parse(id).ok())
    };
    let own = clash.record_id.0;
    match clash.table.name {
        "classes" => Some(Place::Class(own)),
        "animals" => Some(Place::Animal(own)),
        "exhibitors" => Some(Place::Exhibitor(own)),
        "weigh_ins" => reference("animal_id").map(Place::Animal),
        "entries" | "placings" | "class_calls" => {
            reference("class_id").or_else(|| reference("family_id")).map(Place::Class)
        }
        _ => None,
    }
}
