CREATE TABLE bank_transfer_payee (
    enterprise_id TEXT NOT NULL, supplier_id TEXT NOT NULL, holder TEXT NOT NULL, iban TEXT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_bank_transfer_payee PRIMARY KEY (enterprise_id, supplier_id),
    CONSTRAINT fk_bank_transfer_payee_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_bank_transfer_payee_supplier_id FOREIGN KEY(supplier_id) REFERENCES enterprise (id)
);

CREATE TABLE bank_transfer_entry (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, key TEXT NOT NULL, booked_on TEXT NOT NULL, amount BIGINT NOT NULL,
    currency TEXT NOT NULL, payer TEXT NOT NULL, text TEXT NOT NULL, state TEXT NOT NULL, order_id TEXT,
    payment_id TEXT, settled_by TEXT, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_bank_transfer_entry PRIMARY KEY (id),
    CONSTRAINT uq_bank_transfer_entry_enterprise_id UNIQUE (enterprise_id, key),
    CONSTRAINT ck_bank_transfer_entry_state_known CHECK (state IN ('open', 'matched', 'ignored')),
    CONSTRAINT fk_bank_transfer_entry_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_bank_transfer_entry_order_id FOREIGN KEY(order_id) REFERENCES customer_order (id),
    CONSTRAINT fk_bank_transfer_entry_payment_id FOREIGN KEY(payment_id) REFERENCES payment (id)
);

CREATE INDEX ix_bank_transfer_entry_state ON bank_transfer_entry (enterprise_id, state, id);

CREATE TABLE bank_transfer_debit (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, key TEXT NOT NULL, booked_on TEXT NOT NULL, amount BIGINT NOT NULL,
    currency TEXT NOT NULL, payee TEXT NOT NULL, text TEXT NOT NULL, state TEXT NOT NULL, supplier_payment_id TEXT,
    payment_id TEXT, recorded BOOLEAN NOT NULL, settled_by TEXT, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_bank_transfer_debit PRIMARY KEY (id),
    CONSTRAINT uq_bank_transfer_debit_enterprise_id_key UNIQUE (enterprise_id, key),
    CONSTRAINT ck_bank_transfer_debit_state CHECK (state IN ('open', 'matched', 'ignored')),
    CONSTRAINT fk_bank_transfer_debit_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT uq_bank_transfer_debit_supplier_payment_id UNIQUE (supplier_payment_id),
    CONSTRAINT fk_bank_transfer_debit_supplier_payment_id FOREIGN KEY(supplier_payment_id) REFERENCES supplier_payment (id),
    CONSTRAINT fk_bank_transfer_debit_payment_id FOREIGN KEY(payment_id) REFERENCES payment (id)
);

CREATE INDEX ix_bank_transfer_debit_state ON bank_transfer_debit (enterprise_id, state, id);

CREATE TABLE bank_transfer_share (
    entry_id TEXT NOT NULL, order_id TEXT NOT NULL, payment_id TEXT NOT NULL, amount BIGINT NOT NULL,
    CONSTRAINT pk_bank_transfer_share PRIMARY KEY (entry_id, order_id),
    CONSTRAINT fk_bank_transfer_share_entry_id FOREIGN KEY(entry_id) REFERENCES bank_transfer_entry (id),
    CONSTRAINT fk_bank_transfer_share_order_id FOREIGN KEY(order_id) REFERENCES customer_order (id),
    CONSTRAINT fk_bank_transfer_share_payment_id FOREIGN KEY(payment_id) REFERENCES payment (id)
);

CREATE TABLE bank_transfer_rest (
    entry_id TEXT NOT NULL, customer_id TEXT NOT NULL, plugin TEXT NOT NULL, amount BIGINT NOT NULL,
    CONSTRAINT pk_bank_transfer_rest PRIMARY KEY (entry_id),
    CONSTRAINT ck_bank_transfer_rest_amount_positive CHECK (amount > 0),
    CONSTRAINT fk_bank_transfer_rest_entry_id FOREIGN KEY(entry_id) REFERENCES bank_transfer_entry (id),
    CONSTRAINT fk_bank_transfer_rest_customer_id FOREIGN KEY(customer_id) REFERENCES customer (id)
)
