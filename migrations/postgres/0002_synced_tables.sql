-- The ten synced tables. What they hold and who may change it is told by the descriptors in the domain crate;
-- a test compares both.

CREATE TABLE shows (
    id uuid NOT NULL PRIMARY KEY,
    show_id uuid NOT NULL REFERENCES shows (id) DEFERRABLE INITIALLY DEFERRED,
    version bigint NOT NULL,
    created_at timestamptz(3) NOT NULL,
    updated_at timestamptz(3) NOT NULL,
    updated_by uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id uuid REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    deleted_at timestamptz(3),
    provenance jsonb NOT NULL,
    name text NOT NULL,
    venue text,
    starts_on date,
    ends_on date,
    timezone text NOT NULL,
    weight_unit text COLLATE "C" NOT NULL,
    stage text COLLATE "C" NOT NULL,
    rules jsonb NOT NULL
);

CREATE TABLE rings (
    id uuid NOT NULL PRIMARY KEY,
    show_id uuid NOT NULL REFERENCES shows (id) DEFERRABLE INITIALLY DEFERRED,
    version bigint NOT NULL,
    created_at timestamptz(3) NOT NULL,
    updated_at timestamptz(3) NOT NULL,
    updated_by uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id uuid REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    deleted_at timestamptz(3),
    provenance jsonb NOT NULL,
    name text NOT NULL,
    seq bigint,
    status text COLLATE "C" NOT NULL,
    now_class_id uuid
);
CREATE INDEX rings_by_now_class ON rings (now_class_id) WHERE now_class_id IS NOT NULL;

CREATE TABLE exhibitors (
    id uuid NOT NULL PRIMARY KEY,
    show_id uuid NOT NULL REFERENCES shows (id) DEFERRABLE INITIALLY DEFERRED,
    version bigint NOT NULL,
    created_at timestamptz(3) NOT NULL,
    updated_at timestamptz(3) NOT NULL,
    updated_by uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id uuid REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    deleted_at timestamptz(3),
    provenance jsonb NOT NULL,
    back_number bigint,
    first_name text NOT NULL,
    last_name text NOT NULL,
    club_chapter text,
    county text,
    program text COLLATE "C",
    age_division text,
    guardian_phone text,
    advisor_id uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    merged_into uuid REFERENCES exhibitors (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE UNIQUE INDEX exhibitors_back_number ON exhibitors (show_id, back_number) WHERE deleted_at IS NULL;
CREATE INDEX exhibitors_by_merged_into ON exhibitors (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE classes (
    id uuid NOT NULL PRIMARY KEY,
    show_id uuid NOT NULL REFERENCES shows (id) DEFERRABLE INITIALLY DEFERRED,
    version bigint NOT NULL,
    created_at timestamptz(3) NOT NULL,
    updated_at timestamptz(3) NOT NULL,
    updated_by uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id uuid REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    deleted_at timestamptz(3),
    provenance jsonb NOT NULL,
    department text COLLATE "C",
    division text,
    code text COLLATE "C",
    name text NOT NULL,
    family_id uuid REFERENCES classes (id) DEFERRABLE INITIALLY DEFERRED,
    kind text COLLATE "C" NOT NULL,
    feeder jsonb NOT NULL,
    min_x10 bigint,
    max_x10 bigint,
    born_from date,
    born_to date,
    ring_id uuid REFERENCES rings (id) DEFERRABLE INITIALLY DEFERRED,
    seq bigint,
    planned_at timestamptz(3),
    judge_name text,
    side_state text COLLATE "C",
    official_at timestamptz(3),
    official_by uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    status text COLLATE "C" NOT NULL,
    card_state text COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX classes_code ON classes (show_id, code) WHERE deleted_at IS NULL;
CREATE INDEX classes_by_family ON classes (family_id) WHERE family_id IS NOT NULL;
CREATE INDEX classes_by_ring ON classes (ring_id) WHERE ring_id IS NOT NULL;

CREATE TABLE animals (
    id uuid NOT NULL PRIMARY KEY,
    show_id uuid NOT NULL REFERENCES shows (id) DEFERRABLE INITIALLY DEFERRED,
    version bigint NOT NULL,
    created_at timestamptz(3) NOT NULL,
    updated_at timestamptz(3) NOT NULL,
    updated_by uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id uuid REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    deleted_at timestamptz(3),
    provenance jsonb NOT NULL,
    exhibitor_id uuid NOT NULL REFERENCES exhibitors (id) DEFERRABLE INITIALLY DEFERRED,
    species text COLLATE "C" NOT NULL,
    sex text,
    breed text,
    name text,
    born_on date,
    tag text COLLATE "C",
    official_id text COLLATE "C",
    ear_notch text,
    tattoo text,
    reg_number text,
    prev_tags jsonb,
    init_weight_x10 bigint,
    init_weighed_on date,
    arrived_at timestamptz(3),
    arrived_by uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    id_check text COLLATE "C" NOT NULL,
    health_check text COLLATE "C" NOT NULL,
    pen text,
    official_weight_x10 bigint,
    adg_x1000 bigint,
    released_at timestamptz(3),
    note text
);
CREATE UNIQUE INDEX animals_tag ON animals (show_id, species, tag) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX animals_official_id ON animals (show_id, official_id) WHERE deleted_at IS NULL;
CREATE INDEX animals_by_exhibitor ON animals (exhibitor_id);

CREATE TABLE entries (
    id uuid NOT NULL PRIMARY KEY,
    show_id uuid NOT NULL REFERENCES shows (id) DEFERRABLE INITIALLY DEFERRED,
    version bigint NOT NULL,
    created_at timestamptz(3) NOT NULL,
    updated_at timestamptz(3) NOT NULL,
    updated_by uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id uuid REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    deleted_at timestamptz(3),
    provenance jsonb NOT NULL,
    exhibitor_id uuid NOT NULL REFERENCES exhibitors (id) DEFERRABLE INITIALLY DEFERRED,
    animal_id uuid REFERENCES animals (id) DEFERRABLE INITIALLY DEFERRED,
    family_id uuid NOT NULL REFERENCES classes (id) DEFERRABLE INITIALLY DEFERRED,
    class_id uuid REFERENCES classes (id) DEFERRABLE INITIALLY DEFERRED,
    status text COLLATE "C" NOT NULL,
    out_reason text COLLATE "C",
    catalogue_no bigint,
    is_addon boolean NOT NULL
);
CREATE UNIQUE INDEX entries_catalogue_no ON entries (show_id, catalogue_no) WHERE deleted_at IS NULL;
CREATE INDEX entries_by_exhibitor ON entries (exhibitor_id);
CREATE INDEX entries_by_animal ON entries (animal_id) WHERE animal_id IS NOT NULL;
CREATE INDEX entries_by_family ON entries (family_id);
CREATE INDEX entries_by_class ON entries (class_id) WHERE class_id IS NOT NULL;

CREATE TABLE weigh_ins (
    id uuid NOT NULL PRIMARY KEY,
    show_id uuid NOT NULL REFERENCES shows (id) DEFERRABLE INITIALLY DEFERRED,
    version bigint NOT NULL,
    created_at timestamptz(3) NOT NULL,
    updated_at timestamptz(3) NOT NULL,
    updated_by uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id uuid REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    deleted_at timestamptz(3),
    provenance jsonb NOT NULL,
    animal_id uuid NOT NULL REFERENCES animals (id) DEFERRABLE INITIALLY DEFERRED,
    kind text COLLATE "C" NOT NULL,
    weight_x10 bigint NOT NULL,
    unit text COLLATE "C",
    scale text,
    weighed_at timestamptz(3),
    tag_read text COLLATE "C",
    source text COLLATE "C" NOT NULL,
    replaces_id uuid REFERENCES weigh_ins (id) DEFERRABLE INITIALLY DEFERRED,
    voided_at timestamptz(3),
    voided_by uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    voided_reason text
);
CREATE INDEX weigh_ins_by_animal ON weigh_ins (animal_id);
CREATE INDEX weigh_ins_by_replaces ON weigh_ins (replaces_id) WHERE replaces_id IS NOT NULL;

CREATE TABLE placings (
    id uuid NOT NULL PRIMARY KEY,
    show_id uuid NOT NULL REFERENCES shows (id) DEFERRABLE INITIALLY DEFERRED,
    version bigint NOT NULL,
    created_at timestamptz(3) NOT NULL,
    updated_at timestamptz(3) NOT NULL,
    updated_by uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id uuid REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    deleted_at timestamptz(3),
    provenance jsonb NOT NULL,
    class_id uuid NOT NULL REFERENCES classes (id) DEFERRABLE INITIALLY DEFERRED,
    entry_id uuid NOT NULL REFERENCES entries (id) DEFERRABLE INITIALLY DEFERRED,
    card_id uuid,
    place bigint,
    ribbon text,
    award text,
    tie_group text,
    code text COLLATE "C",
    note text,
    posted_by uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX placings_by_class ON placings (class_id);
CREATE INDEX placings_by_entry ON placings (entry_id);

CREATE TABLE class_calls (
    id uuid NOT NULL PRIMARY KEY,
    show_id uuid NOT NULL REFERENCES shows (id) DEFERRABLE INITIALLY DEFERRED,
    version bigint NOT NULL,
    created_at timestamptz(3) NOT NULL,
    updated_at timestamptz(3) NOT NULL,
    updated_by uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id uuid REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    deleted_at timestamptz(3),
    provenance jsonb NOT NULL,
    class_id uuid NOT NULL REFERENCES classes (id) DEFERRABLE INITIALLY DEFERRED,
    ring_id uuid REFERENCES rings (id) DEFERRABLE INITIALLY DEFERRED,
    kind text COLLATE "C" NOT NULL,
    "at" timestamptz(3),
    "by" uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX class_calls_by_class ON class_calls (class_id);
CREATE INDEX class_calls_by_ring ON class_calls (ring_id) WHERE ring_id IS NOT NULL;

CREATE TABLE announcements (
    id uuid NOT NULL PRIMARY KEY,
    show_id uuid NOT NULL REFERENCES shows (id) DEFERRABLE INITIALLY DEFERRED,
    version bigint NOT NULL,
    created_at timestamptz(3) NOT NULL,
    updated_at timestamptz(3) NOT NULL,
    updated_by uuid REFERENCES profiles (id) DEFERRABLE INITIALLY DEFERRED,
    device_id uuid REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    deleted_at timestamptz(3),
    provenance jsonb NOT NULL,
    type text NOT NULL,
    title text NOT NULL,
    body text,
    priority text COLLATE "C" NOT NULL,
    audience jsonb NOT NULL,
    needs_ack boolean NOT NULL,
    expires_at timestamptz(3),
    retracted_at timestamptz(3)
);

-- References in a circle.
ALTER TABLE rings ADD CONSTRAINT rings_now_class_id_fkey FOREIGN KEY (now_class_id) REFERENCES classes (id) DEFERRABLE INITIALLY DEFERRED;
