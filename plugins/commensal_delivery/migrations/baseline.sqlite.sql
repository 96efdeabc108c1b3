CREATE TABLE delivery_slot (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, session_id TEXT NOT NULL, zone TEXT NOT NULL,
    begins_at TEXT NOT NULL, ends_at TEXT NOT NULL, timezone TEXT NOT NULL, capacity INTEGER, taken INTEGER NOT NULL,
    version INTEGER NOT NULL, CONSTRAINT pk_delivery_slot PRIMARY KEY (id),
    CONSTRAINT ck_delivery_slot_ends_after_beginning CHECK (ends_at > begins_at),
    CONSTRAINT ck_delivery_slot_not_overbooked CHECK (taken >= 0 AND (capacity IS NULL OR taken <= capacity)),
    CONSTRAINT fk_delivery_slot_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_delivery_slot_session_id FOREIGN KEY(session_id) REFERENCES sale_session (id)
) STRICT;

CREATE INDEX ix_delivery_slot_enterprise_id ON delivery_slot (enterprise_id);

CREATE INDEX ix_delivery_slot_session ON delivery_slot (session_id, begins_at)
