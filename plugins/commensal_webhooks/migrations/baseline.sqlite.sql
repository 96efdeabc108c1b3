CREATE TABLE webhooks_hook (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, url TEXT NOT NULL, events TEXT NOT NULL, personal INTEGER NOT NULL,
    secret TEXT NOT NULL, old_secret TEXT, old_until TEXT, enabled INTEGER NOT NULL, off_because TEXT NOT NULL,
    failures INTEGER NOT NULL, failing_since TEXT, held_until TEXT, created_at TEXT NOT NULL, version INTEGER NOT NULL,
    CONSTRAINT pk_webhooks_hook PRIMARY KEY (id),
    CONSTRAINT ck_webhooks_hook_off_because_known CHECK (off_because IN ('', 'gone', 'failing')),
    CONSTRAINT fk_webhooks_hook_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
) STRICT;

CREATE INDEX ix_webhooks_hook_enterprise ON webhooks_hook (enterprise_id, id);

CREATE TABLE webhooks_delivery (
    id TEXT NOT NULL, hook_id TEXT NOT NULL, event_id TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
    state TEXT NOT NULL, tries INTEGER NOT NULL, status INTEGER, error TEXT NOT NULL, due_at TEXT NOT NULL,
    created_at TEXT NOT NULL, finished_at TEXT, CONSTRAINT pk_webhooks_delivery PRIMARY KEY (id),
    CONSTRAINT ck_webhooks_delivery_state_known CHECK (state IN ('waiting', 'delivered', 'parked', 'dropped')),
    CONSTRAINT fk_webhooks_delivery_hook_id FOREIGN KEY(hook_id) REFERENCES webhooks_hook (id),
    CONSTRAINT uq_webhooks_delivery_hook_id_event_id UNIQUE (hook_id, event_id)
) STRICT;

CREATE INDEX ix_webhooks_delivery_created_at ON webhooks_delivery (created_at)
