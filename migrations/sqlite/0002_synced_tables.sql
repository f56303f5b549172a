-- The ten synced tables. What they hold and who may change it is told by the descriptors in the domain crate;
-- a test compares both.

CREATE TABLE shows (
    id TEXT NOT NULL PRIMARY KEY,
    show_id TEXT NOT NULL REFERENCES shows (id) DEFERRABLE INITIALLY DEFERRED,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id TEXT REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    deleted_at INTEGER,
    provenance TEXT NOT NULL,
    name TEXT NOT NULL,
    venue TEXT,
    starts_on TEXT,
    ends_on TEXT,
    timezone TEXT NOT NULL,
    weight_unit TEXT NOT NULL,
    stage TEXT NOT NULL,
    rules TEXT NOT NULL
) STRICT;

CREATE TABLE rings (
    id TEXT NOT NULL PRIMARY KEY,
    show_id TEXT NOT NULL REFERENCES shows (id) DEFERRABLE INITIALLY DEFERRED,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id TEXT REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    deleted_at INTEGER,
    provenance TEXT NOT NULL,
    name TEXT NOT NULL,
    seq INTEGER,
    status TEXT NOT NULL,
    now_class_id TEXT REFERENCES classes (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX rings_by_now_class ON rings (now_class_id) WHERE now_class_id IS NOT NULL;

CREATE TABLE exhibitors (
    id TEXT NOT NULL PRIMARY KEY,
    show_id TEXT NOT NULL REFERENCES shows (id) DEFERRABLE INITIALLY DEFERRED,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id TEXT REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    deleted_at INTEGER,
    provenance TEXT NOT NULL,
    back_number INTEGER,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    club_chapter TEXT,
    county TEXT,
    program TEXT,
    age_division TEXT,
    guardian_phone TEXT,
    advisor_id TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    merged_into TEXT REFERENCES exhibitors (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE UNIQUE INDEX exhibitors_back_number ON exhibitors (show_id, back_number) WHERE deleted_at IS NULL;
CREATE INDEX exhibitors_by_merged_into ON exhibitors (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE classes (
    id TEXT NOT NULL PRIMARY KEY,
    show_id TEXT NOT NULL REFERENCES shows (id) DEFERRABLE INITIALLY DEFERRED,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id TEXT REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    deleted_at INTEGER,
    provenance TEXT NOT NULL,
    department TEXT,
    division TEXT,
    code TEXT,
    name TEXT NOT NULL,
    family_id TEXT REFERENCES classes (id) DEFERRABLE INITIALLY DEFERRED,
    kind TEXT NOT NULL,
    feeder TEXT NOT NULL,
    min_x10 INTEGER,
    max_x10 INTEGER,
    born_from TEXT,
    born_to TEXT,
    ring_id TEXT REFERENCES rings (id) DEFERRABLE INITIALLY DEFERRED,
    seq INTEGER,
    planned_at INTEGER,
    judge_name TEXT,
    side_state TEXT,
    official_at INTEGER,
    official_by TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    status TEXT NOT NULL,
    card_state TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX classes_code ON classes (show_id, code) WHERE deleted_at IS NULL;
CREATE INDEX classes_by_family ON classes (family_id) WHERE family_id IS NOT NULL;
CREATE INDEX classes_by_ring ON classes (ring_id) WHERE ring_id IS NOT NULL;

CREATE TABLE animals (
    id TEXT NOT NULL PRIMARY KEY,
    show_id TEXT NOT NULL REFERENCES shows (id) DEFERRABLE INITIALLY DEFERRED,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id TEXT REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    deleted_at INTEGER,
    provenance TEXT NOT NULL,
    exhibitor_id TEXT NOT NULL REFERENCES exhibitors (id) DEFERRABLE INITIALLY DEFERRED,
    species TEXT NOT NULL,
    sex TEXT,
    breed TEXT,
    name TEXT,
    born_on TEXT,
    tag TEXT,
    official_id TEXT,
    ear_notch TEXT,
    tattoo TEXT,
    reg_number TEXT,
    prev_tags TEXT,
    init_weight_x10 INTEGER,
    init_weighed_on TEXT,
    arrived_at INTEGER,
    arrived_by TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    id_check TEXT NOT NULL,
    health_check TEXT NOT NULL,
    pen TEXT,
    official_weight_x10 INTEGER,
    adg_x1000 INTEGER,
    released_at INTEGER,
    note TEXT
) STRICT;
CREATE UNIQUE INDEX animals_tag ON animals (show_id, species, tag) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX animals_official_id ON animals (show_id, official_id) WHERE deleted_at IS NULL;
CREATE INDEX animals_by_exhibitor ON animals (exhibitor_id);

CREATE TABLE entries (
    id TEXT NOT NULL PRIMARY KEY,
    show_id TEXT NOT NULL REFERENCES shows (id) DEFERRABLE INITIALLY DEFERRED,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id TEXT REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    deleted_at INTEGER,
    provenance TEXT NOT NULL,
    exhibitor_id TEXT NOT NULL REFERENCES exhibitors (id) DEFERRABLE INITIALLY DEFERRED,
    animal_id TEXT REFERENCES animals (id) DEFERRABLE INITIALLY DEFERRED,
    family_id TEXT NOT NULL REFERENCES classes (id) DEFERRABLE INITIALLY DEFERRED,
    class_id TEXT REFERENCES classes (id) DEFERRABLE INITIALLY DEFERRED,
    status TEXT NOT NULL,
    out_reason TEXT,
    catalogue_no INTEGER,
    is_addon INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX entries_catalogue_no ON entries (show_id, catalogue_no) WHERE deleted_at IS NULL;
CREATE INDEX entries_by_exhibitor ON entries (exhibitor_id);
CREATE INDEX entries_by_animal ON entries (animal_id) WHERE animal_id IS NOT NULL;
CREATE INDEX entries_by_family ON entries (family_id);
CREATE INDEX entries_by_class ON entries (class_id) WHERE class_id IS NOT NULL;

CREATE TABLE weigh_ins (
    id TEXT NOT NULL PRIMARY KEY,
    show_id TEXT NOT NULL REFERENCES shows (id) DEFERRABLE INITIALLY DEFERRED,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id TEXT REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    deleted_at INTEGER,
    provenance TEXT NOT NULL,
    animal_id TEXT NOT NULL REFERENCES animals (id) DEFERRABLE INITIALLY DEFERRED,
    kind TEXT NOT NULL,
    weight_x10 INTEGER NOT NULL,
    unit TEXT,
    scale TEXT,
    weighed_at INTEGER,
    tag_read TEXT,
    source TEXT NOT NULL,
    replaces_id TEXT REFERENCES weigh_ins (id) DEFERRABLE INITIALLY DEFERRED,
    voided_at INTEGER,
    voided_by TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    voided_reason TEXT
) STRICT;
CREATE INDEX weigh_ins_by_animal ON weigh_ins (animal_id);
CREATE INDEX weigh_ins_by_replaces ON weigh_ins (replaces_id) WHERE replaces_id IS NOT NULL;

CREATE TABLE placings (
    id TEXT NOT NULL PRIMARY KEY,
    show_id TEXT NOT NULL REFERENCES shows (id) DEFERRABLE INITIALLY DEFERRED,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id TEXT REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    deleted_at INTEGER,
    provenance TEXT NOT NULL,
    class_id TEXT NOT NULL REFERENCES classes (id) DEFERRABLE INITIALLY DEFERRED,
    entry_id TEXT NOT NULL REFERENCES entries (id) DEFERRABLE INITIALLY DEFERRED,
    card_id TEXT,
    place INTEGER,
    ribbon TEXT,
    award TEXT,
    tie_group TEXT,
    code TEXT,
    note TEXT,
    posted_by TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX placings_by_class ON placings (class_id);
CREATE INDEX placings_by_entry ON placings (entry_id);

CREATE TABLE class_calls (
    id TEXT NOT NULL PRIMARY KEY,
    show_id TEXT NOT NULL REFERENCES shows (id) DEFERRABLE INITIALLY DEFERRED,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id TEXT REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    deleted_at INTEGER,
    provenance TEXT NOT NULL,
    class_id TEXT NOT NULL REFERENCES classes (id) DEFERRABLE INITIALLY DEFERRED,
    ring_id TEXT REFERENCES rings (id) DEFERRABLE INITIALLY DEFERRED,
    kind TEXT NOT NULL,
    "at" INTEGER,
    "by" TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX class_calls_by_class ON class_calls (class_id);
CREATE INDEX class_calls_by_ring ON class_calls (ring_id) WHERE ring_id IS NOT NULL;

CREATE TABLE announcements (
    id TEXT NOT NULL PRIMARY KEY,
    show_id TEXT NOT NULL REFERENCES shows (id) DEFERRABLE INITIALLY DEFERRED,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id TEXT REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    deleted_at INTEGER,
    provenance TEXT NOT NULL,
    type TEXT NOT NULL,
    title TEXT NOT NULL,
    body TEXT,
    priority TEXT NOT NULL,
    audience TEXT NOT NULL,
    needs_ack INTEGER NOT NULL,
    expires_at INTEGER,
    retracted_at INTEGER
) STRICT;
