CREATE TABLE solidarity_budget (
    enterprise_id TEXT NOT NULL, programme TEXT NOT NULL, year INTEGER NOT NULL, budget INTEGER NOT NULL,
    spent INTEGER NOT NULL, CONSTRAINT pk_solidarity_budget PRIMARY KEY (enterprise_id, programme, year),
    CONSTRAINT ck_solidarity_budget_not_overspent CHECK (spent >= 0 AND spent <= budget),
    CONSTRAINT fk_solidarity_budget_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
) STRICT;

CREATE TABLE solidarity_entry (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, programme TEXT NOT NULL, year INTEGER NOT NULL,
    order_id TEXT NOT NULL, customer_id TEXT NOT NULL, kind TEXT NOT NULL, amount INTEGER NOT NULL, at TEXT NOT NULL,
    CONSTRAINT pk_solidarity_entry PRIMARY KEY (id),
    CONSTRAINT ck_solidarity_entry_kind_known CHECK (kind IN ('granted', 'changed', 'given back')),
    CONSTRAINT ck_solidarity_entry_amount_moves CHECK (amount <> 0),
    CONSTRAINT fk_solidarity_entry_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_solidarity_entry_order_id FOREIGN KEY(order_id) REFERENCES customer_order (id),
    CONSTRAINT fk_solidarity_entry_customer_id FOREIGN KEY(customer_id) REFERENCES customer (id)
) STRICT;

CREATE INDEX ix_solidarity_entry_order_id ON solidarity_entry (order_id);

CREATE INDEX ix_solidarity_entry_customer ON solidarity_entry (enterprise_id, programme, year, customer_id);

CREATE INDEX ix_solidarity_entry_at ON solidarity_entry (enterprise_id, programme, at);

CREATE TABLE solidarity_payment (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, programme TEXT NOT NULL, amount INTEGER NOT NULL,
    paid_on TEXT NOT NULL, reference TEXT NOT NULL, recorded_at TEXT NOT NULL, recorded_by TEXT,
    CONSTRAINT pk_solidarity_payment PRIMARY KEY (id),
    CONSTRAINT ck_solidarity_payment_amount_moves CHECK (amount <> 0),
    CONSTRAINT fk_solidarity_payment_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
) STRICT;

CREATE INDEX ix_solidarity_payment_programme ON solidarity_payment (enterprise_id, programme, id);

CREATE TRIGGER solidarity_entry_no_update BEFORE UPDATE ON solidarity_entry BEGIN SELECT RAISE(ABORT, 'solidarity_entry only grows'); END;

CREATE TRIGGER solidarity_entry_no_delete BEFORE DELETE ON solidarity_entry BEGIN SELECT RAISE(ABORT, 'solidarity_entry only grows'); END;

CREATE TRIGGER solidarity_payment_no_update BEFORE UPDATE ON solidarity_payment BEGIN SELECT RAISE(ABORT, 'solidarity_payment only grows'); END;

CREATE TRIGGER solidarity_payment_no_delete BEFORE DELETE ON solidarity_payment BEGIN SELECT RAISE(ABORT, 'solidarity_payment only grows'); END
