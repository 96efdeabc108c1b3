CREATE TABLE pickup_place (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, name TEXT NOT NULL, street TEXT NOT NULL, postcode TEXT NOT NULL,
    city TEXT NOT NULL, note TEXT NOT NULL, timezone TEXT NOT NULL, price INTEGER NOT NULL, vat_rate TEXT,
    archived_at TEXT, version INTEGER NOT NULL, hours TEXT DEFAULT '[]' NOT NULL, latitude TEXT, longitude TEXT,
    names TEXT DEFAULT '{}' NOT NULL, notes TEXT DEFAULT '{}' NOT NULL, CONSTRAINT pk_pickup_place PRIMARY KEY (id),
    CONSTRAINT ck_pickup_place_price_not_negative CHECK (price >= 0),
    CONSTRAINT fk_pickup_place_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
) STRICT;

CREATE INDEX ix_pickup_place_enterprise ON pickup_place (enterprise_id, id);

CREATE TABLE pickup_slot (
    id TEXT NOT NULL, place_id TEXT NOT NULL, session_id TEXT NOT NULL, begins_at TEXT NOT NULL, ends_at TEXT NOT NULL,
    capacity INTEGER, taken INTEGER NOT NULL, version INTEGER NOT NULL,
    closure_id TEXT CONSTRAINT fk_pickup_slot_closure_id REFERENCES pickup_closure (id),
    CONSTRAINT pk_pickup_slot PRIMARY KEY (id),
    CONSTRAINT ck_pickup_slot_ends_after_beginning CHECK (ends_at > begins_at),
    CONSTRAINT ck_pickup_slot_not_overbooked CHECK (taken >= 0 AND (capacity IS NULL OR taken <= capacity)),
    CONSTRAINT fk_pickup_slot_place_id FOREIGN KEY(place_id) REFERENCES pickup_place (id),
    CONSTRAINT fk_pickup_slot_session_id FOREIGN KEY(session_id) REFERENCES sale_session (id)
) STRICT;

CREATE INDEX ix_pickup_slot_place_id ON pickup_slot (place_id);

CREATE INDEX ix_pickup_slot_session ON pickup_slot (session_id, begins_at);

CREATE TABLE pickup_closure (
    id TEXT NOT NULL, place_id TEXT NOT NULL, first_day TEXT NOT NULL, last_day TEXT NOT NULL, reason TEXT NOT NULL,
    reasons TEXT DEFAULT '{}' NOT NULL, CONSTRAINT pk_pickup_closure PRIMARY KEY (id),
    CONSTRAINT ck_pickup_closure_ends_after_beginning CHECK (last_day >= first_day),
    CONSTRAINT fk_pickup_closure_place_id FOREIGN KEY(place_id) REFERENCES pickup_place (id)
) STRICT;

CREATE INDEX ix_pickup_closure_place ON pickup_closure (place_id, last_day);

CREATE TABLE pickup_calendar (
    place_id TEXT NOT NULL, secret_hash TEXT NOT NULL, CONSTRAINT pk_pickup_calendar PRIMARY KEY (place_id),
    CONSTRAINT fk_pickup_calendar_place_id FOREIGN KEY(place_id) REFERENCES pickup_place (id),
    CONSTRAINT uq_pickup_calendar_secret_hash UNIQUE (secret_hash)
) STRICT;

CREATE INDEX ix_pickup_slot_closure_id ON pickup_slot (closure_id)
