CREATE TABLE vouchers_voucher (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, code TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
    currency TEXT NOT NULL, amount BIGINT, percent TEXT, most BIGINT, balance BIGINT,
    valid_from TIMESTAMP WITH TIME ZONE, valid_until TIMESTAMP WITH TIME ZONE, minimum BIGINT NOT NULL,
    once BOOLEAN NOT NULL, confirmed BOOLEAN NOT NULL, alone BOOLEAN NOT NULL, category_ids JSONB NOT NULL,
    product_types JSONB NOT NULL, most_uses BIGINT, used BIGINT NOT NULL, batch_id TEXT,
    archived_at TIMESTAMP WITH TIME ZONE, created_at TIMESTAMP WITH TIME ZONE NOT NULL, version BIGINT NOT NULL,
    CONSTRAINT pk_vouchers_voucher PRIMARY KEY (id),
    CONSTRAINT uq_vouchers_voucher_enterprise_id_code UNIQUE (enterprise_id, code),
    CONSTRAINT ck_vouchers_voucher_kind_known CHECK (kind IN ('amount', 'percent', 'card')),
    CONSTRAINT ck_vouchers_voucher_not_used_too_often CHECK (used >= 0 AND (most_uses IS NULL OR used <= most_uses)),
    CONSTRAINT ck_vouchers_voucher_only_cards_have_a_balance CHECK ((kind = 'card') = (balance IS NOT NULL)),
    CONSTRAINT ck_vouchers_voucher_not_overspent CHECK (balance IS NULL OR balance >= 0),
    CONSTRAINT fk_vouchers_voucher_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE INDEX ix_vouchers_voucher_batch ON vouchers_voucher (batch_id);

CREATE TABLE vouchers_use (
    voucher_id TEXT NOT NULL, order_id TEXT NOT NULL, mailbox TEXT, person_id TEXT,
    at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_vouchers_use PRIMARY KEY (voucher_id, order_id),
    CONSTRAINT uq_vouchers_use_voucher_id_mailbox UNIQUE (voucher_id, mailbox),
    CONSTRAINT uq_vouchers_use_voucher_id_person_id UNIQUE (voucher_id, person_id),
    CONSTRAINT fk_vouchers_use_voucher_id FOREIGN KEY(voucher_id) REFERENCES vouchers_voucher (id),
    CONSTRAINT fk_vouchers_use_order_id FOREIGN KEY(order_id) REFERENCES customer_order (id),
    CONSTRAINT fk_vouchers_use_person_id FOREIGN KEY(person_id) REFERENCES person (id)
);

CREATE INDEX ix_vouchers_use_order ON vouchers_use (order_id);

CREATE INDEX ix_vouchers_use_person_id ON vouchers_use (person_id);

CREATE TABLE vouchers_movement (
    id TEXT NOT NULL, voucher_id TEXT NOT NULL, order_id TEXT, amount BIGINT NOT NULL, note TEXT NOT NULL,
    person_id TEXT, at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_vouchers_movement PRIMARY KEY (id),
    CONSTRAINT ck_vouchers_movement_amount_moves CHECK (amount <> 0),
    CONSTRAINT fk_vouchers_movement_voucher_id FOREIGN KEY(voucher_id) REFERENCES vouchers_voucher (id),
    CONSTRAINT fk_vouchers_movement_order_id FOREIGN KEY(order_id) REFERENCES customer_order (id)
);

CREATE INDEX ix_vouchers_movement_order_id ON vouchers_movement (order_id);

CREATE INDEX ix_vouchers_movement_voucher ON vouchers_movement (voucher_id, id);

CREATE TRIGGER vouchers_movement_only_grows BEFORE UPDATE OR DELETE ON vouchers_movement FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER vouchers_movement_not_emptied BEFORE TRUNCATE ON vouchers_movement FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE vouchers_sale (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, code TEXT NOT NULL, currency TEXT NOT NULL, amount BIGINT NOT NULL,
    language TEXT NOT NULL, giver TEXT NOT NULL, recipient TEXT NOT NULL, message TEXT NOT NULL, order_id TEXT,
    card_id TEXT, created_at TIMESTAMP WITH TIME ZONE NOT NULL, issued_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_vouchers_sale PRIMARY KEY (id),
    CONSTRAINT uq_vouchers_sale_enterprise_id_code UNIQUE (enterprise_id, code),
    CONSTRAINT uq_vouchers_sale_card_id UNIQUE (card_id),
    CONSTRAINT ck_vouchers_sale_amount_positive CHECK (amount > 0),
    CONSTRAINT ck_vouchers_sale_issued_with_its_card CHECK ((card_id IS NULL) = (issued_at IS NULL)),
    CONSTRAINT fk_vouchers_sale_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_vouchers_sale_order_id FOREIGN KEY(order_id) REFERENCES customer_order (id),
    CONSTRAINT fk_vouchers_sale_card_id FOREIGN KEY(card_id) REFERENCES vouchers_voucher (id)
);

CREATE INDEX ix_vouchers_sale_order_id ON vouchers_sale (order_id)
