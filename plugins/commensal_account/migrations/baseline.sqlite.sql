CREATE TABLE account_balance (
    enterprise_id TEXT NOT NULL, customer_id TEXT NOT NULL, balance INTEGER NOT NULL, minimum INTEGER,
    opened_at TEXT NOT NULL, version INTEGER NOT NULL,
    CONSTRAINT pk_account_balance PRIMARY KEY (enterprise_id, customer_id),
    CONSTRAINT fk_account_balance_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_account_balance_customer_id FOREIGN KEY(customer_id) REFERENCES customer (id)
) STRICT;

CREATE TABLE account_entry (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, customer_id TEXT NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL,
    amount INTEGER NOT NULL, balance INTEGER NOT NULL, payment_id TEXT, order_number INTEGER, note TEXT NOT NULL,
    person_id TEXT, CONSTRAINT pk_account_entry PRIMARY KEY (id),
    CONSTRAINT ck_account_entry_kind_known CHECK (kind IN ('paid in', 'order', 'given back', 'paid out', 'correction')),
    CONSTRAINT fk_account_entry_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_account_entry_customer_id FOREIGN KEY(customer_id) REFERENCES customer (id),
    CONSTRAINT fk_account_entry_payment_id FOREIGN KEY(payment_id) REFERENCES payment (id),
    CONSTRAINT uq_account_entry_payment_id UNIQUE (payment_id)
) STRICT;

CREATE INDEX ix_account_entry_customer ON account_entry (enterprise_id, customer_id, id);

CREATE TRIGGER account_entry_no_update BEFORE UPDATE OF id, enterprise_id, customer_id, at, kind, amount, balance, payment_id, order_number, person_id ON account_entry BEGIN SELECT RAISE(ABORT, 'account_entry only grows'); END;

CREATE TRIGGER account_entry_no_delete BEFORE DELETE ON account_entry BEGIN SELECT RAISE(ABORT, 'account_entry only grows'); END;

CREATE TRIGGER account_entry_only_blanks BEFORE UPDATE OF note ON account_entry WHEN NEW.note <> '' BEGIN SELECT RAISE(ABORT, 'account_entry only grows'); END;

CREATE TABLE account_statement_mail (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, customer_id TEXT NOT NULL, balance INTEGER NOT NULL,
    at TEXT NOT NULL, person_id TEXT NOT NULL, CONSTRAINT pk_account_statement_mail PRIMARY KEY (id),
    CONSTRAINT fk_account_statement_mail_customer_id FOREIGN KEY(customer_id) REFERENCES customer (id),
    CONSTRAINT fk_account_statement_mail_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
) STRICT;

CREATE INDEX ix_account_statement_mail_customer ON account_statement_mail (enterprise_id, customer_id)
