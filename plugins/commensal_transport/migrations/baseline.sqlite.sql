CREATE TABLE transport_vehicle (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, name TEXT NOT NULL, crates INTEGER NOT NULL, kg INTEGER NOT NULL,
    cold INTEGER NOT NULL, keeping TEXT NOT NULL, cents_per_km INTEGER NOT NULL, archived_at TEXT,
    version INTEGER NOT NULL, CONSTRAINT pk_transport_vehicle PRIMARY KEY (id),
    CONSTRAINT ck_transport_vehicle_cost_not_negative CHECK (cents_per_km >= 0),
    CONSTRAINT ck_transport_vehicle_has_room CHECK (crates > 0 AND kg > 0 AND cold >= 0 AND cold <= crates),
    CONSTRAINT fk_transport_vehicle_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
) STRICT;

CREATE INDEX ix_transport_vehicle_enterprise_id ON transport_vehicle (enterprise_id);

CREATE TABLE transport_trip (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, vehicle_id TEXT NOT NULL, basis TEXT NOT NULL, proof TEXT NOT NULL,
    rule TEXT NOT NULL, crates INTEGER NOT NULL, kg INTEGER NOT NULL, cold INTEGER NOT NULL, keeping TEXT NOT NULL,
    cents_per_km INTEGER NOT NULL, toll INTEGER NOT NULL, stop_price INTEGER NOT NULL, crate_price INTEGER NOT NULL,
    starts_at TEXT NOT NULL, ends_at TEXT NOT NULL, book_until TEXT NOT NULL, state TEXT NOT NULL,
    version INTEGER NOT NULL, peer_id TEXT, iri TEXT, heard INTEGER DEFAULT '0' NOT NULL,
    measured TEXT DEFAULT 'great-circle-1.3' NOT NULL, CONSTRAINT pk_transport_trip PRIMARY KEY (id),
    CONSTRAINT ck_transport_trip_ends_after_start CHECK (ends_at > starts_at),
    CONSTRAINT ck_transport_trip_known_state CHECK (state IN ('open', 'driven', 'cancelled')),
    CONSTRAINT fk_transport_trip_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_transport_trip_vehicle_id FOREIGN KEY(vehicle_id) REFERENCES transport_vehicle (id)
) STRICT;

CREATE INDEX ix_transport_trip_enterprise ON transport_trip (enterprise_id, starts_at);

CREATE INDEX ix_transport_trip_open ON transport_trip (state, book_until);

CREATE INDEX ix_transport_trip_vehicle_id ON transport_trip (vehicle_id);

CREATE TABLE transport_stop (
    id TEXT NOT NULL, trip_id TEXT NOT NULL, position INTEGER NOT NULL, enterprise_id TEXT NOT NULL,
    latitude TEXT NOT NULL, longitude TEXT NOT NULL, opens_at TEXT NOT NULL, closes_at TEXT NOT NULL,
    free_crates INTEGER NOT NULL, free_kg INTEGER NOT NULL, free_cold INTEGER NOT NULL,
    CONSTRAINT pk_transport_stop PRIMARY KEY (id),
    CONSTRAINT ck_transport_stop_not_overbooked CHECK (free_crates >= 0 AND free_kg >= 0 AND free_cold >= 0),
    CONSTRAINT fk_transport_stop_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_transport_stop_trip_id FOREIGN KEY(trip_id) REFERENCES transport_trip (id)
) STRICT;

CREATE INDEX ix_transport_stop_enterprise_id ON transport_stop (enterprise_id);

CREATE INDEX ix_transport_stop_trip ON transport_stop (trip_id, position);

CREATE TABLE transport_need (
    enterprise_id TEXT NOT NULL, origin TEXT NOT NULL, sale_id TEXT NOT NULL, crates INTEGER NOT NULL,
    kg INTEGER NOT NULL, own_boxes INTEGER NOT NULL, most INTEGER,
    CONSTRAINT pk_transport_need PRIMARY KEY (enterprise_id, origin, sale_id),
    CONSTRAINT ck_transport_need_is_a_load CHECK (crates > 0 AND kg > 0),
    CONSTRAINT fk_transport_need_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
) STRICT;

CREATE TABLE transport_booking (
    id TEXT NOT NULL, trip_id TEXT NOT NULL, sender_id TEXT NOT NULL, receiver_id TEXT NOT NULL, origin TEXT NOT NULL,
    sale_id TEXT NOT NULL, crates INTEGER NOT NULL, kg INTEGER NOT NULL, cold INTEGER NOT NULL, keeping TEXT NOT NULL,
    own_boxes INTEGER NOT NULL, room_crates INTEGER NOT NULL, pickup_id TEXT, delivery_id TEXT, pickup_at TEXT NOT NULL,
    delivery_at TEXT NOT NULL, alone INTEGER NOT NULL, cap INTEGER, tariff INTEGER NOT NULL, state TEXT NOT NULL,
    booked_at TEXT NOT NULL, version INTEGER NOT NULL, iri TEXT, number INTEGER DEFAULT '0' NOT NULL,
    heard INTEGER DEFAULT '0' NOT NULL, reason TEXT DEFAULT '' NOT NULL, most INTEGER,
    CONSTRAINT pk_transport_booking PRIMARY KEY (id),
    CONSTRAINT ck_transport_booking_is_a_load CHECK (crates > 0 AND kg > 0 AND cold >= 0),
    CONSTRAINT ck_transport_booking_not_worse_than_alone CHECK (cap IS NULL OR (cap >= 0 AND cap <= alone)),
    CONSTRAINT fk_transport_booking_delivery_id FOREIGN KEY(delivery_id) REFERENCES transport_stop (id),
    CONSTRAINT fk_transport_booking_pickup_id FOREIGN KEY(pickup_id) REFERENCES transport_stop (id),
    CONSTRAINT fk_transport_booking_receiver_id FOREIGN KEY(receiver_id) REFERENCES enterprise (id),
    CONSTRAINT fk_transport_booking_sender_id FOREIGN KEY(sender_id) REFERENCES enterprise (id),
    CONSTRAINT fk_transport_booking_trip_id FOREIGN KEY(trip_id) REFERENCES transport_trip (id)
) STRICT;

CREATE INDEX ix_transport_booking_delivery_id ON transport_booking (delivery_id);

CREATE INDEX ix_transport_booking_pickup_id ON transport_booking (pickup_id);

CREATE INDEX ix_transport_booking_receiver_id ON transport_booking (receiver_id);

CREATE INDEX ix_transport_booking_sender ON transport_booking (sender_id, pickup_at);

CREATE INDEX ix_transport_booking_trip_id ON transport_booking (trip_id);

CREATE TABLE transport_event (
    id TEXT NOT NULL, booking_id TEXT NOT NULL, event TEXT NOT NULL, at TEXT NOT NULL, by_id TEXT NOT NULL,
    crates INTEGER, celsius TEXT, note TEXT NOT NULL, noted_at TEXT, empties INTEGER, code TEXT, photo TEXT,
    CONSTRAINT pk_transport_event PRIMARY KEY (id),
    CONSTRAINT fk_transport_event_booking_id FOREIGN KEY(booking_id) REFERENCES transport_booking (id),
    CONSTRAINT fk_transport_event_by_id FOREIGN KEY(by_id) REFERENCES enterprise (id)
) STRICT;

CREATE INDEX ix_transport_event_booking_id ON transport_event (booking_id);

CREATE INDEX ix_transport_event_by_id ON transport_event (by_id);

CREATE TABLE transport_statement (
    trip_id TEXT NOT NULL, content TEXT NOT NULL, shares TEXT NOT NULL, digest TEXT NOT NULL, written_at TEXT NOT NULL,
    metres INTEGER DEFAULT '0' NOT NULL, received INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT pk_transport_statement PRIMARY KEY (trip_id),
    CONSTRAINT fk_transport_statement_trip_id FOREIGN KEY(trip_id) REFERENCES transport_trip (id)
) STRICT;

CREATE TRIGGER transport_event_no_update BEFORE UPDATE ON transport_event BEGIN SELECT RAISE(ABORT, 'transport_event only grows'); END;

CREATE TRIGGER transport_event_no_delete BEFORE DELETE ON transport_event BEGIN SELECT RAISE(ABORT, 'transport_event only grows'); END;

CREATE UNIQUE INDEX ux_transport_trip_iri ON transport_trip (iri);

CREATE UNIQUE INDEX ux_transport_booking_iri ON transport_booking (iri);

CREATE UNIQUE INDEX ux_transport_booking_carried ON transport_booking (sender_id, origin, sale_id) WHERE state IN ('ordered', 'confirmed', 'picked_up', 'delivered');

CREATE TABLE transport_quote (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, origin TEXT NOT NULL, sale_id TEXT NOT NULL, trip_id TEXT NOT NULL,
    number INTEGER NOT NULL, crates INTEGER NOT NULL, kg INTEGER NOT NULL, own_boxes INTEGER NOT NULL,
    asked_at TEXT NOT NULL, answered_at TEXT, code TEXT NOT NULL, price INTEGER NOT NULL, alone INTEGER NOT NULL,
    pickup_at TEXT, delivery_at TEXT, most INTEGER, CONSTRAINT pk_transport_quote PRIMARY KEY (id),
    CONSTRAINT fk_transport_quote_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_transport_quote_trip_id FOREIGN KEY(trip_id) REFERENCES transport_trip (id)
) STRICT;

CREATE INDEX ix_transport_quote_trip_id ON transport_quote (trip_id);

CREATE UNIQUE INDEX ux_transport_quote ON transport_quote (enterprise_id, origin, sale_id, trip_id);

CREATE TABLE transport_place (
    enterprise_id TEXT NOT NULL, hours INTEGER NOT NULL, heard INTEGER NOT NULL, asked_at TEXT NOT NULL,
    CONSTRAINT pk_transport_place PRIMARY KEY (enterprise_id),
    CONSTRAINT fk_transport_place_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
) STRICT;

CREATE TABLE transport_sent (
    peer_id TEXT NOT NULL, type TEXT NOT NULL, subject TEXT NOT NULL, number INTEGER NOT NULL, digest TEXT NOT NULL,
    CONSTRAINT pk_transport_sent PRIMARY KEY (peer_id, type, subject)
) STRICT;

CREATE TABLE transport_comparison (
    trip_id TEXT NOT NULL, peer_id TEXT NOT NULL, number INTEGER NOT NULL, digest TEXT NOT NULL, mistakes TEXT NOT NULL,
    at TEXT NOT NULL, CONSTRAINT pk_transport_comparison PRIMARY KEY (trip_id, peer_id),
    CONSTRAINT fk_transport_comparison_trip_id FOREIGN KEY(trip_id) REFERENCES transport_trip (id)
) STRICT;

CREATE TABLE transport_contact (
    booking_id TEXT NOT NULL, enterprise_id TEXT NOT NULL, phone TEXT NOT NULL, access TEXT NOT NULL,
    asked_at TEXT NOT NULL, answered_at TEXT, CONSTRAINT pk_transport_contact PRIMARY KEY (booking_id, enterprise_id),
    CONSTRAINT fk_transport_contact_booking_id FOREIGN KEY(booking_id) REFERENCES transport_booking (id),
    CONSTRAINT fk_transport_contact_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
) STRICT;

CREATE INDEX ix_transport_contact_enterprise_id ON transport_contact (enterprise_id);

CREATE TABLE transport_series (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, rhythm TEXT NOT NULL, vehicle_id TEXT NOT NULL, basis TEXT NOT NULL,
    rule TEXT NOT NULL, toll INTEGER NOT NULL, stop_price INTEGER NOT NULL, crate_price INTEGER NOT NULL,
    starts_at TEXT NOT NULL, ends_at TEXT NOT NULL, book_until TEXT NOT NULL, missed_at TEXT, reason TEXT NOT NULL,
    ended_at TEXT, CONSTRAINT pk_transport_series PRIMARY KEY (id),
    CONSTRAINT ck_transport_series_ends_after_start CHECK (ends_at > starts_at),
    CONSTRAINT fk_transport_series_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_transport_series_vehicle_id FOREIGN KEY(vehicle_id) REFERENCES transport_vehicle (id)
) STRICT;

CREATE INDEX ix_transport_series_enterprise_id ON transport_series (enterprise_id);

CREATE INDEX ix_transport_series_vehicle_id ON transport_series (vehicle_id);

CREATE TABLE transport_conflict (
    id TEXT NOT NULL, booking_id TEXT NOT NULL, event TEXT NOT NULL, crates INTEGER, celsius TEXT, note TEXT NOT NULL,
    noted_at TEXT NOT NULL, recorded_at TEXT NOT NULL, person_id TEXT NOT NULL, settled_at TEXT, settled_by TEXT,
    empties INTEGER, code TEXT, CONSTRAINT pk_transport_conflict PRIMARY KEY (id),
    CONSTRAINT fk_transport_conflict_booking_id FOREIGN KEY(booking_id) REFERENCES transport_booking (id)
) STRICT;

CREATE INDEX ix_transport_conflict_booking_id ON transport_conflict (booking_id);

CREATE TABLE transport_plan (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, asked_at TEXT NOT NULL, made_at TEXT, replaced_at TEXT,
    reason TEXT NOT NULL, metres_alone INTEGER NOT NULL, metres_planned INTEGER NOT NULL,
    CONSTRAINT pk_transport_plan PRIMARY KEY (id),
    CONSTRAINT fk_transport_plan_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
) STRICT;

CREATE INDEX ix_transport_plan_enterprise_id ON transport_plan (enterprise_id);

CREATE TABLE transport_proposal (
    id TEXT NOT NULL, plan_id TEXT NOT NULL, round INTEGER NOT NULL, position INTEGER NOT NULL,
    enterprise_id TEXT NOT NULL, vehicle_id TEXT, basis TEXT NOT NULL, origin TEXT NOT NULL, sale_id TEXT NOT NULL,
    starts_at TEXT NOT NULL, ends_at TEXT NOT NULL, until TEXT NOT NULL, pickup_at TEXT NOT NULL,
    delivery_at TEXT NOT NULL, price INTEGER NOT NULL, alone INTEGER NOT NULL, answer TEXT NOT NULL, trip_id TEXT,
    booking_id TEXT, CONSTRAINT pk_transport_proposal PRIMARY KEY (id),
    CONSTRAINT ck_transport_proposal_known_answer CHECK (answer IN ('open', 'accepted', 'declined')),
    CONSTRAINT fk_transport_proposal_plan_id FOREIGN KEY(plan_id) REFERENCES transport_plan (id),
    CONSTRAINT fk_transport_proposal_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_transport_proposal_vehicle_id FOREIGN KEY(vehicle_id) REFERENCES transport_vehicle (id),
    CONSTRAINT fk_transport_proposal_trip_id FOREIGN KEY(trip_id) REFERENCES transport_trip (id),
    CONSTRAINT fk_transport_proposal_booking_id FOREIGN KEY(booking_id) REFERENCES transport_booking (id)
) STRICT;

CREATE INDEX ix_transport_proposal_plan_id ON transport_proposal (plan_id);

CREATE INDEX ix_transport_proposal_enterprise_id ON transport_proposal (enterprise_id);

CREATE INDEX ix_transport_proposal_vehicle_id ON transport_proposal (vehicle_id);

CREATE INDEX ix_transport_proposal_trip_id ON transport_proposal (trip_id);

CREATE INDEX ix_transport_proposal_booking_id ON transport_proposal (booking_id);

CREATE TABLE transport_road (
    origin TEXT NOT NULL, destination TEXT NOT NULL, metres INTEGER, seconds INTEGER, source TEXT NOT NULL,
    measured_at TEXT NOT NULL, CONSTRAINT pk_transport_road PRIMARY KEY (origin, destination)
) STRICT;

CREATE INDEX ix_transport_road_destination ON transport_road (destination);

CREATE TABLE transport_code (
    booking_id TEXT NOT NULL, step TEXT NOT NULL, digest TEXT NOT NULL, secret TEXT,
    CONSTRAINT pk_transport_code PRIMARY KEY (booking_id, step),
    CONSTRAINT fk_transport_code_booking_id FOREIGN KEY(booking_id) REFERENCES transport_booking (id),
    CONSTRAINT ck_transport_code_known_step CHECK (step IN ('pick_up', 'deliver'))
) STRICT;

CREATE TABLE transport_photo (
    booking_id TEXT NOT NULL, digest TEXT NOT NULL, content TEXT NOT NULL, kept_at TEXT NOT NULL,
    CONSTRAINT pk_transport_photo PRIMARY KEY (booking_id, digest),
    CONSTRAINT fk_transport_photo_booking_id FOREIGN KEY(booking_id) REFERENCES transport_booking (id)
) STRICT;

CREATE TABLE transport_count (
    id TEXT NOT NULL, booking_id TEXT NOT NULL, side TEXT NOT NULL, number INTEGER NOT NULL, loaded INTEGER,
    unloaded INTEGER, reason TEXT NOT NULL, at TEXT NOT NULL, CONSTRAINT pk_transport_count PRIMARY KEY (id),
    CONSTRAINT fk_transport_count_booking_id FOREIGN KEY(booking_id) REFERENCES transport_booking (id),
    CONSTRAINT ck_transport_count_known_side CHECK (side IN ('carrier', 'sender', 'receiver')),
    CONSTRAINT ck_transport_count_says_something CHECK (loaded IS NOT NULL OR unloaded IS NOT NULL)
) STRICT;

CREATE INDEX ix_transport_count_booking_id ON transport_count (booking_id);

CREATE TRIGGER transport_count_no_update BEFORE UPDATE ON transport_count BEGIN SELECT RAISE(ABORT, 'transport_count only grows'); END;

CREATE TRIGGER transport_count_no_delete BEFORE DELETE ON transport_count BEGIN SELECT RAISE(ABORT, 'transport_count only grows'); END;

CREATE TABLE transport_asked (
    peer_id TEXT NOT NULL, day TEXT NOT NULL, number INTEGER NOT NULL,
    CONSTRAINT pk_transport_asked PRIMARY KEY (peer_id)
) STRICT
