CREATE TABLE solidarity_budget (
    enterprise_id TEXT NOT NULL, programme TEXT NOT NULL, year BIGINT NOT NULL, budget BIGINT NOT NULL,
    spent BIGINT NOT NULL, CONSTRAINT pk_solidarity_budget PRIMARY KEY (enterprise_id, programme, year),
    CONSTRAINT ck_solidarity_budget_not_overspent CHECK (spent >= 0 AND spent <= budget),
    CONSTRAINT fk_solidarity_budget_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE TABLE solidarity_payment (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, programme TEXT NOT NULL, amount BIGINT NOT NULL,
    paid_on TEXT NOT NULL, reference TEXT NOT NULL, recorded_at TIMESTAMP WITH TIME ZONE NOT NULL, recorded_by TEXT,
    CONSTRAINT pk_solidarity_payment PRIMARY KEY (id),
    CONSTRAINT ck_solidarity_payment_amount_moves CHECK (amount <> 0),
    CONSTRAINT fk_solidarity_payment_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE INDEX ix_solidarity_payment_programme ON solidarity_payment (enterprise_id, programme, id);

CREATE TRIGGER solidarity_payment_only_grows BEFORE UPDATE OR DELETE ON solidarity_payment FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER solidarity_payment_not_emptied BEFORE TRUNCATE ON solidarity_payment FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE solidarity_entry (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, programme TEXT NOT NULL, year BIGINT NOT NULL,
    order_id TEXT NOT NULL, customer_id TEXT NOT NULL, kind TEXT NOT NULL, amount BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_solidarity_entry PRIMARY KEY (id),
    CONSTRAINT ck_solidarity_entry_kind_known CHECK (kind IN ('granted', 'changed', 'given back')),
    CONSTRAINT ck_solidarity_entry_amount_moves CHECK (amount <> 0),
    CONSTRAINT fk_solidarity_entry_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_solidarity_entry_order_id FOREIGN KEY(order_id) REFERENCES customer_order (id),
    CONSTRAINT fk_solidarity_entry_customer_id FOREIGN KEY(customer_id) REFERENCES customer (id)
);

CREATE INDEX ix_solidarity_entry_at ON solidarity_entry (enterprise_id, programme, at);

CREATE INDEX ix_solidarity_entry_order_id ON solidarity_entry (order_id);

CREATE INDEX ix_solidarity_entry_customer ON solidarity_entry (enterprise_id, programme, year, customer_id);

CREATE TRIGGER solidarity_entry_only_grows BEFORE UPDATE OR DELETE ON solidarity_entry FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER solidarity_entry_not_emptied BEFORE TRUNCATE ON solidarity_entry FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
