CREATE TABLE webhooks_hook (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, url TEXT NOT NULL, events JSONB NOT NULL, personal BOOLEAN NOT NULL,
    secret TEXT NOT NULL, old_secret TEXT, old_until TIMESTAMP WITH TIME ZONE, enabled BOOLEAN NOT NULL,
    off_because TEXT NOT NULL, failures BIGINT NOT NULL, failing_since TIMESTAMP WITH TIME ZONE,
    held_until TIMESTAMP WITH TIME ZONE, created_at TIMESTAMP WITH TIME ZONE NOT NULL, version BIGINT NOT NULL,
    CONSTRAINT pk_webhooks_hook PRIMARY KEY (id),
    CONSTRAINT ck_webhooks_hook_off_because_known CHECK (off_because IN ('', 'gone', 'failing')),
    CONSTRAINT fk_webhooks_hook_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE INDEX ix_webhooks_hook_enterprise ON webhooks_hook (enterprise_id, id);

CREATE TABLE webhooks_delivery (
    id TEXT NOT NULL, hook_id TEXT NOT NULL, event_id TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
    state TEXT NOT NULL, tries BIGINT NOT NULL, status BIGINT, error TEXT NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_webhooks_delivery PRIMARY KEY (id),
    CONSTRAINT uq_webhooks_delivery_hook_id_event_id UNIQUE (hook_id, event_id),
    CONSTRAINT ck_webhooks_delivery_state_known CHECK (state IN ('waiting', 'delivered', 'parked', 'dropped')),
    CONSTRAINT fk_webhooks_delivery_hook_id FOREIGN KEY(hook_id) REFERENCES webhooks_hook (id)
);

CREATE INDEX ix_webhooks_delivery_created_at ON webhooks_delivery (created_at)
