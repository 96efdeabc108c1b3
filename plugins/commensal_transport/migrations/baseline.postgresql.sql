CREATE TABLE transport_sent (
    peer_id TEXT NOT NULL, type TEXT NOT NULL, subject TEXT NOT NULL, number BIGINT NOT NULL, digest TEXT NOT NULL,
    CONSTRAINT pk_transport_sent PRIMARY KEY (peer_id, type, subject)
);

CREATE TABLE transport_asked (
    peer_id TEXT NOT NULL, day TEXT NOT NULL, number BIGINT NOT NULL,
    CONSTRAINT pk_transport_asked PRIMARY KEY (peer_id)
);

CREATE TABLE transport_road (
    origin TEXT NOT NULL, destination TEXT NOT NULL, metres BIGINT, seconds BIGINT, source TEXT NOT NULL,
    measured_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_transport_road PRIMARY KEY (origin, destination)
);

CREATE INDEX ix_transport_road_destination ON transport_road (destination);

CREATE TABLE transport_vehicle (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, name TEXT NOT NULL, crates BIGINT NOT NULL, kg BIGINT NOT NULL,
    cold BIGINT NOT NULL, keeping TEXT NOT NULL, cents_per_km BIGINT NOT NULL, archived_at TIMESTAMP WITH TIME ZONE,
    version BIGINT NOT NULL, CONSTRAINT pk_transport_vehicle PRIMARY KEY (id),
    CONSTRAINT ck_transport_vehicle_has_room CHECK (crates > 0 AND kg > 0 AND cold >= 0 AND cold <= crates),
    CONSTRAINT ck_transport_vehicle_cost_not_negative CHECK (cents_per_km >= 0),
    CONSTRAINT fk_transport_vehicle_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE INDEX ix_transport_vehicle_enterprise_id ON transport_vehicle (enterprise_id);

CREATE TABLE transport_need (
    enterprise_id TEXT NOT NULL, origin TEXT NOT NULL, sale_id TEXT NOT NULL, crates BIGINT NOT NULL,
    kg BIGINT NOT NULL, own_boxes BOOLEAN NOT NULL, most BIGINT,
    CONSTRAINT pk_transport_need PRIMARY KEY (enterprise_id, origin, sale_id),
    CONSTRAINT ck_transport_need_is_a_load CHECK (crates > 0 AND kg > 0),
    CONSTRAINT fk_transport_need_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE TABLE transport_plan (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE, replaced_at TIMESTAMP WITH TIME ZONE, reason TEXT NOT NULL,
    metres_alone BIGINT NOT NULL, metres_planned BIGINT NOT NULL, CONSTRAINT pk_transport_plan PRIMARY KEY (id),
    CONSTRAINT fk_transport_plan_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE INDEX ix_transport_plan_enterprise_id ON transport_plan (enterprise_id);

CREATE TABLE transport_place (
    enterprise_id TEXT NOT NULL, hours BIGINT NOT NULL, heard BIGINT NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_transport_place PRIMARY KEY (enterprise_id),
    CONSTRAINT fk_transport_place_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE TABLE transport_trip (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, vehicle_id TEXT NOT NULL, basis TEXT NOT NULL, proof TEXT NOT NULL,
    rule TEXT NOT NULL, crates BIGINT NOT NULL, kg BIGINT NOT NULL, cold BIGINT NOT NULL, keeping TEXT NOT NULL,
    cents_per_km BIGINT NOT NULL, toll BIGINT NOT NULL, stop_price BIGINT NOT NULL, crate_price BIGINT NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL, ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    book_until TIMESTAMP WITH TIME ZONE NOT NULL, state TEXT NOT NULL, version BIGINT NOT NULL, peer_id TEXT, iri TEXT,
    heard BIGINT DEFAULT '0' NOT NULL, measured TEXT DEFAULT 'great-circle-1.3' NOT NULL,
    CONSTRAINT pk_transport_trip PRIMARY KEY (id),
    CONSTRAINT ck_transport_trip_ends_after_start CHECK (ends_at > starts_at),
    CONSTRAINT ck_transport_trip_known_state CHECK (state IN ('open', 'driven', 'cancelled')),
    CONSTRAINT fk_transport_trip_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_transport_trip_vehicle_id FOREIGN KEY(vehicle_id) REFERENCES transport_vehicle (id)
);

CREATE INDEX ix_transport_trip_open ON transport_trip (state, book_until);

CREATE UNIQUE INDEX ux_transport_trip_iri ON transport_trip (iri);

CREATE INDEX ix_transport_trip_vehicle_id ON transport_trip (vehicle_id);

CREATE INDEX ix_transport_trip_enterprise ON transport_trip (enterprise_id, starts_at);

CREATE TABLE transport_series (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, rhythm TEXT NOT NULL, vehicle_id TEXT NOT NULL, basis TEXT NOT NULL,
    rule TEXT NOT NULL, toll BIGINT NOT NULL, stop_price BIGINT NOT NULL, crate_price BIGINT NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL, ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    book_until TIMESTAMP WITH TIME ZONE NOT NULL, missed_at TIMESTAMP WITH TIME ZONE, reason TEXT NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_transport_series PRIMARY KEY (id),
    CONSTRAINT ck_transport_series_ends_after_start CHECK (ends_at > starts_at),
    CONSTRAINT fk_transport_series_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_transport_series_vehicle_id FOREIGN KEY(vehicle_id) REFERENCES transport_vehicle (id)
);

CREATE INDEX ix_transport_series_vehicle_id ON transport_series (vehicle_id);

CREATE INDEX ix_transport_series_enterprise_id ON transport_series (enterprise_id);

CREATE TABLE transport_stop (
    id TEXT NOT NULL, trip_id TEXT NOT NULL, position BIGINT NOT NULL, enterprise_id TEXT NOT NULL,
    latitude TEXT NOT NULL, longitude TEXT NOT NULL, opens_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closes_at TIMESTAMP WITH TIME ZONE NOT NULL, free_crates BIGINT NOT NULL, free_kg BIGINT NOT NULL,
    free_cold BIGINT NOT NULL, CONSTRAINT pk_transport_stop PRIMARY KEY (id),
    CONSTRAINT ck_transport_stop_not_overbooked CHECK (free_crates >= 0 AND free_kg >= 0 AND free_cold >= 0),
    CONSTRAINT fk_transport_stop_trip_id FOREIGN KEY(trip_id) REFERENCES transport_trip (id),
    CONSTRAINT fk_transport_stop_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE INDEX ix_transport_stop_trip ON transport_stop (trip_id, position);

CREATE INDEX ix_transport_stop_enterprise_id ON transport_stop (enterprise_id);

CREATE TABLE transport_statement (
    trip_id TEXT NOT NULL, content JSONB NOT NULL, shares JSONB NOT NULL, digest TEXT NOT NULL,
    written_at TIMESTAMP WITH TIME ZONE NOT NULL, metres BIGINT DEFAULT '0' NOT NULL,
    received BIGINT DEFAULT '0' NOT NULL, CONSTRAINT pk_transport_statement PRIMARY KEY (trip_id),
    CONSTRAINT fk_transport_statement_trip_id FOREIGN KEY(trip_id) REFERENCES transport_trip (id)
);

CREATE TABLE transport_quote (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, origin TEXT NOT NULL, sale_id TEXT NOT NULL, trip_id TEXT NOT NULL,
    number BIGINT NOT NULL, crates BIGINT NOT NULL, kg BIGINT NOT NULL, own_boxes BOOLEAN NOT NULL, most BIGINT,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL, answered_at TIMESTAMP WITH TIME ZONE, code TEXT NOT NULL,
    price BIGINT NOT NULL, alone BIGINT NOT NULL, pickup_at TIMESTAMP WITH TIME ZONE,
    delivery_at TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_transport_quote PRIMARY KEY (id),
    CONSTRAINT fk_transport_quote_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_transport_quote_trip_id FOREIGN KEY(trip_id) REFERENCES transport_trip (id)
);

CREATE INDEX ix_transport_quote_trip_id ON transport_quote (trip_id);

CREATE UNIQUE INDEX ux_transport_quote ON transport_quote (enterprise_id, origin, sale_id, trip_id);

CREATE TABLE transport_comparison (
    trip_id TEXT NOT NULL, peer_id TEXT NOT NULL, number BIGINT NOT NULL, digest TEXT NOT NULL, mistakes JSONB NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_transport_comparison PRIMARY KEY (trip_id, peer_id),
    CONSTRAINT fk_transport_comparison_trip_id FOREIGN KEY(trip_id) REFERENCES transport_trip (id)
);

CREATE TABLE transport_booking (
    id TEXT NOT NULL, trip_id TEXT NOT NULL, sender_id TEXT NOT NULL, receiver_id TEXT NOT NULL, origin TEXT NOT NULL,
    sale_id TEXT NOT NULL, crates BIGINT NOT NULL, kg BIGINT NOT NULL, cold BIGINT NOT NULL, keeping TEXT NOT NULL,
    own_boxes BOOLEAN NOT NULL, room_crates BIGINT NOT NULL, pickup_id TEXT, delivery_id TEXT,
    pickup_at TIMESTAMP WITH TIME ZONE NOT NULL, delivery_at TIMESTAMP WITH TIME ZONE NOT NULL, alone BIGINT NOT NULL,
    cap BIGINT, tariff BIGINT NOT NULL, most BIGINT, state TEXT NOT NULL, booked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version BIGINT NOT NULL, iri TEXT, number BIGINT DEFAULT '0' NOT NULL, heard BIGINT DEFAULT '0' NOT NULL,
    reason TEXT DEFAULT '' NOT NULL, CONSTRAINT pk_transport_booking PRIMARY KEY (id),
    CONSTRAINT ck_transport_booking_is_a_load CHECK (crates > 0 AND kg > 0 AND cold >= 0),
    CONSTRAINT ck_transport_booking_not_worse_than_alone CHECK (cap IS NULL OR (cap >= 0 AND cap <= alone)),
    CONSTRAINT fk_transport_booking_trip_id FOREIGN KEY(trip_id) REFERENCES transport_trip (id),
    CONSTRAINT fk_transport_booking_sender_id FOREIGN KEY(sender_id) REFERENCES enterprise (id),
    CONSTRAINT fk_transport_booking_receiver_id FOREIGN KEY(receiver_id) REFERENCES enterprise (id),
    CONSTRAINT fk_transport_booking_pickup_id FOREIGN KEY(pickup_id) REFERENCES transport_stop (id),
    CONSTRAINT fk_transport_booking_delivery_id FOREIGN KEY(delivery_id) REFERENCES transport_stop (id)
);

CREATE INDEX ix_transport_booking_receiver_id ON transport_booking (receiver_id);

CREATE UNIQUE INDEX ux_transport_booking_carried ON transport_booking (sender_id, origin, sale_id) WHERE state IN ('ordered', 'confirmed', 'picked_up', 'delivered');

CREATE INDEX ix_transport_booking_pickup_id ON transport_booking (pickup_id);

CREATE INDEX ix_transport_booking_sender ON transport_booking (sender_id, pickup_at);

CREATE INDEX ix_transport_booking_trip_id ON transport_booking (trip_id);

CREATE INDEX ix_transport_booking_delivery_id ON transport_booking (delivery_id);

CREATE UNIQUE INDEX ux_transport_booking_iri ON transport_booking (iri);

CREATE TABLE transport_event (
    id TEXT NOT NULL, booking_id TEXT NOT NULL, event TEXT NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL,
    by_id TEXT NOT NULL, crates BIGINT, celsius TEXT, empties BIGINT, note TEXT NOT NULL,
    noted_at TIMESTAMP WITH TIME ZONE, code TEXT, photo TEXT, CONSTRAINT pk_transport_event PRIMARY KEY (id),
    CONSTRAINT fk_transport_event_booking_id FOREIGN KEY(booking_id) REFERENCES transport_booking (id),
    CONSTRAINT fk_transport_event_by_id FOREIGN KEY(by_id) REFERENCES enterprise (id)
);

CREATE INDEX ix_transport_event_booking_id ON transport_event (booking_id);

CREATE INDEX ix_transport_event_by_id ON transport_event (by_id);

CREATE TRIGGER transport_event_only_grows BEFORE UPDATE OR DELETE ON transport_event FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER transport_event_not_emptied BEFORE TRUNCATE ON transport_event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE transport_count (
    id TEXT NOT NULL, booking_id TEXT NOT NULL, side TEXT NOT NULL, number BIGINT NOT NULL, loaded BIGINT,
    unloaded BIGINT, reason TEXT NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_transport_count PRIMARY KEY (id),
    CONSTRAINT ck_transport_count_known_side CHECK (side IN ('carrier', 'sender', 'receiver')),
    CONSTRAINT ck_transport_count_says_something CHECK (loaded IS NOT NULL OR unloaded IS NOT NULL),
    CONSTRAINT fk_transport_count_booking_id FOREIGN KEY(booking_id) REFERENCES transport_booking (id)
);

CREATE INDEX ix_transport_count_booking_id ON transport_count (booking_id);

CREATE TRIGGER transport_count_only_grows BEFORE UPDATE OR DELETE ON transport_count FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER transport_count_not_emptied BEFORE TRUNCATE ON transport_count FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE transport_code (
    booking_id TEXT NOT NULL, step TEXT NOT NULL, digest TEXT NOT NULL, secret TEXT,
    CONSTRAINT pk_transport_code PRIMARY KEY (booking_id, step),
    CONSTRAINT ck_transport_code_known_step CHECK (step IN ('pick_up', 'deliver')),
    CONSTRAINT fk_transport_code_booking_id FOREIGN KEY(booking_id) REFERENCES transport_booking (id)
);

CREATE TABLE transport_photo (
    booking_id TEXT NOT NULL, digest TEXT NOT NULL, content TEXT NOT NULL, kept_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_transport_photo PRIMARY KEY (booking_id, digest),
    CONSTRAINT fk_transport_photo_booking_id FOREIGN KEY(booking_id) REFERENCES transport_booking (id)
);

CREATE TABLE transport_conflict (
    id TEXT NOT NULL, booking_id TEXT NOT NULL, event TEXT NOT NULL, crates BIGINT, celsius TEXT, empties BIGINT,
    code TEXT, note TEXT NOT NULL, noted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL, person_id TEXT NOT NULL, settled_at TIMESTAMP WITH TIME ZONE,
    settled_by TEXT, CONSTRAINT pk_transport_conflict PRIMARY KEY (id),
    CONSTRAINT fk_transport_conflict_booking_id FOREIGN KEY(booking_id) REFERENCES transport_booking (id)
);

CREATE INDEX ix_transport_conflict_booking_id ON transport_conflict (booking_id);

CREATE TABLE transport_proposal (
    id TEXT NOT NULL, plan_id TEXT NOT NULL, round BIGINT NOT NULL, position BIGINT NOT NULL,
    enterprise_id TEXT NOT NULL, vehicle_id TEXT, basis TEXT NOT NULL, origin TEXT NOT NULL, sale_id TEXT NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL, ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL, pickup_at TIMESTAMP WITH TIME ZONE NOT NULL,
    delivery_at TIMESTAMP WITH TIME ZONE NOT NULL, price BIGINT NOT NULL, alone BIGINT NOT NULL, answer TEXT NOT NULL,
    trip_id TEXT, booking_id TEXT, CONSTRAINT pk_transport_proposal PRIMARY KEY (id),
    CONSTRAINT ck_transport_proposal_known_answer CHECK (answer IN ('open', 'accepted', 'declined')),
    CONSTRAINT fk_transport_proposal_plan_id FOREIGN KEY(plan_id) REFERENCES transport_plan (id),
    CONSTRAINT fk_transport_proposal_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_transport_proposal_vehicle_id FOREIGN KEY(vehicle_id) REFERENCES transport_vehicle (id),
    CONSTRAINT fk_transport_proposal_trip_id FOREIGN KEY(trip_id) REFERENCES transport_trip (id),
    CONSTRAINT fk_transport_proposal_booking_id FOREIGN KEY(booking_id) REFERENCES transport_booking (id)
);

CREATE INDEX ix_transport_proposal_vehicle_id ON transport_proposal (vehicle_id);

CREATE INDEX ix_transport_proposal_plan_id ON transport_proposal (plan_id);

CREATE INDEX ix_transport_proposal_trip_id ON transport_proposal (trip_id);

CREATE INDEX ix_transport_proposal_enterprise_id ON transport_proposal (enterprise_id);

CREATE INDEX ix_transport_proposal_booking_id ON transport_proposal (booking_id);

CREATE TABLE transport_contact (
    booking_id TEXT NOT NULL, enterprise_id TEXT NOT NULL, phone TEXT NOT NULL, access TEXT NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL, answered_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_transport_contact PRIMARY KEY (booking_id, enterprise_id),
    CONSTRAINT fk_transport_contact_booking_id FOREIGN KEY(booking_id) REFERENCES transport_booking (id),
    CONSTRAINT fk_transport_contact_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE INDEX ix_transport_contact_enterprise_id ON transport_contact (enterprise_id)
