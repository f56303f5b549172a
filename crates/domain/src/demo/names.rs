//! Invented people and clubs. Any likeness is chance.

const FIRST: [&str; 64] = [
    "Abel", "Adele", "Alma", "Anders", "Anouk", "Aria", "Basil", "Bea", "Birk", "Bruna", "Caleb", "Carys", "Celia",
    "Clem", "Cora", "Dario", "Della", "Edda", "Elias", "Elin", "Emil", "Enid", "Ezra", "Fern", "Finn", "Flora",
    "Greta", "Hugo", "Ida", "Imke", "Inez", "Iris", "Ivo", "Jonas", "Juno", "Kai", "Kira", "Lars", "Leni", "Linus",
    "Lotta", "Mabel", "Marlo", "Mila", "Nell", "Nico", "Nora", "Odin", "Olive", "Otto", "Pia", "Quinn", "Remy", "Rosa",
    "Rune", "Selma", "Silas", "Tess", "Theo", "Thora", "Tilda", "Una", "Viggo", "Willa",
];

const LAST: [&str; 61] = [
    "Abendroth",
    "Acker",
    "Barlow",
    "Beckwith",
    "Birch",
    "Brandvold",
    "Briar",
    "Calloway",
    "Carver",
    "Dahl",
    "Dunmore",
    "Eastman",
    "Ekholm",
    "Farrow",
    "Fenwick",
    "Garrick",
    "Goodland",
    "Grange",
    "Hadley",
    "Haugen",
    "Hollis",
    "Ives",
    "Jessup",
    "Keller",
    "Kirkwood",
    "Larkin",
    "Ledger",
    "Linden",
    "Lockhart",
    "Marsh",
    "Meadows",
    "Merritt",
    "Nash",
    "Nordby",
    "Oakes",
    "Ostrom",
    "Paddock",
    "Penrose",
    "Pike",
    "Quarles",
    "Rainey",
    "Redfern",
    "Rowan",
    "Sandoval",
    "Sayer",
    "Shaw",
    "Stroud",
    "Sutter",
    "Tate",
    "Thorne",
    "Tiller",
    "Underhill",
    "Vance",
    "Vega",
    "Wainwright",
    "Walden",
    "Weaver",
    "Whitlock",
    "Yarrow",
    "Yates",
    "Zeller",
];

/// Clubs and chapters with their programme.
pub(super) const CLUBS: [(&str, &str); 12] = [
    ("Willow Bend", "4h"),
    ("Lucky Clover", "4h"),
    ("Stony Ford", "4h"),
    ("Maple Grove", "4h"),
    ("Blue Heron", "4h"),
    ("Harvest Moon", "4h"),
    ("Cedar Valley FFA", "ffa"),
    ("North Fork FFA", "ffa"),
    ("Table Rock FFA", "ffa"),
    ("Lone Elm FFA", "ffa"),
    ("Big Spring FFA", "ffa"),
    ("Cedar County", "open"),
];

/// By the exhibitor's age.
pub(super) const AGE_DIVISIONS: [&str; 3] = ["Junior", "Intermediate", "Senior"];

/// The first and last name of the exhibitor at that place; the first 3,904 are all different people.
pub(super) fn person(index: usize) -> (&'static str, &'static str) {
    // 64 and 61 have no common divisor, so both run through all pairs before one comes again.
    (FIRST[index % FIRST.len()], LAST[index % LAST.len()])
}
