CREATE TABLE vouchers_voucher (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, code TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
    currency TEXT NOT NULL, amount INTEGER, percent TEXT, most INTEGER, balance INTEGER, valid_from TEXT,
    valid_until TEXT, minimum INTEGER NOT NULL, once INTEGER NOT NULL, confirmed INTEGER NOT NULL,
    alone INTEGER NOT NULL, category_ids TEXT NOT NULL, product_types TEXT NOT NULL, most_uses INTEGER,
    used INTEGER NOT NULL, batch_id TEXT, archived_at TEXT, created_at TEXT NOT NULL, version INTEGER NOT NULL,
    CONSTRAINT pk_vouchers_voucher PRIMARY KEY (id),
    CONSTRAINT ck_vouchers_voucher_kind_known CHECK (kind IN ('amount', 'percent', 'card')),
    CONSTRAINT ck_vouchers_voucher_not_used_too_often CHECK (used >= 0 AND (most_uses IS NULL OR used <= most_uses)),
    CONSTRAINT ck_vouchers_voucher_only_cards_have_a_balance CHECK ((kind = 'card') = (balance IS NOT NULL)),
    CONSTRAINT ck_vouchers_voucher_not_overspent CHECK (balance IS NULL OR balance >= 0),
    CONSTRAINT fk_vouchers_voucher_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT uq_vouchers_voucher_enterprise_id_code UNIQUE (enterprise_id, code)
) STRICT;

CREATE INDEX ix_vouchers_voucher_batch ON vouchers_voucher (batch_id);

CREATE TABLE vouchers_use (
    voucher_id TEXT NOT NULL, order_id TEXT NOT NULL, mailbox TEXT, person_id TEXT, at TEXT NOT NULL,
    CONSTRAINT pk_vouchers_use PRIMARY KEY (voucher_id, order_id),
    CONSTRAINT fk_vouchers_use_voucher_id FOREIGN KEY(voucher_id) REFERENCES vouchers_voucher (id),
    CONSTRAINT fk_vouchers_use_order_id FOREIGN KEY(order_id) REFERENCES customer_order (id),
    CONSTRAINT fk_vouchers_use_person_id FOREIGN KEY(person_id) REFERENCES person (id),
    CONSTRAINT uq_vouchers_use_voucher_id_mailbox UNIQUE (voucher_id, mailbox),
    CONSTRAINT uq_vouchers_use_voucher_id_person_id UNIQUE (voucher_id, person_id)
) STRICT;

CREATE INDEX ix_vouchers_use_order ON vouchers_use (order_id);

CREATE INDEX ix_vouchers_use_person_id ON vouchers_use (person_id);

CREATE TABLE vouchers_movement (
    id TEXT NOT NULL, voucher_id TEXT NOT NULL, order_id TEXT, amount INTEGER NOT NULL, note TEXT NOT NULL,
    person_id TEXT, at TEXT NOT NULL, CONSTRAINT pk_vouchers_movement PRIMARY KEY (id),
    CONSTRAINT ck_vouchers_movement_amount_moves CHECK (amount <> 0),
    CONSTRAINT fk_vouchers_movement_voucher_id FOREIGN KEY(voucher_id) REFERENCES vouchers_voucher (id),
    CONSTRAINT fk_vouchers_movement_order_id FOREIGN KEY(order_id) REFERENCES customer_order (id)
) STRICT;

CREATE INDEX ix_vouchers_movement_voucher ON vouchers_movement (voucher_id, id);

CREATE INDEX ix_vouchers_movement_order_id ON vouchers_movement (order_id);

CREATE TRIGGER vouchers_movement_no_update BEFORE UPDATE ON vouchers_movement BEGIN SELECT RAISE(ABORT, 'vouchers_movement only grows'); END;

CREATE TRIGGER vouchers_movement_no_delete BEFORE DELETE ON vouchers_movement BEGIN SELECT RAISE(ABORT, 'vouchers_movement only grows'); END;

CREATE TABLE vouchers_sale (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, code TEXT NOT NULL, currency TEXT NOT NULL, amount INTEGER NOT NULL,
    language TEXT NOT NULL, giver TEXT NOT NULL, recipient TEXT NOT NULL, message TEXT NOT NULL, order_id TEXT,
    card_id TEXT, created_at TEXT NOT NULL, issued_at TEXT, ended_at TEXT, CONSTRAINT pk_vouchers_sale PRIMARY KEY (id),
    CONSTRAINT ck_vouchers_sale_amount_positive CHECK (amount > 0),
    CONSTRAINT ck_vouchers_sale_issued_with_its_card CHECK ((card_id IS NULL) = (issued_at IS NULL)),
    CONSTRAINT fk_vouchers_sale_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_vouchers_sale_order_id FOREIGN KEY(order_id) REFERENCES customer_order (id),
    CONSTRAINT fk_vouchers_sale_card_id FOREIGN KEY(card_id) REFERENCES vouchers_voucher (id),
    CONSTRAINT uq_vouchers_sale_enterprise_id_code UNIQUE (enterprise_id, code),
    CONSTRAINT uq_vouchers_sale_card_id UNIQUE (card_id)
) STRICT;

CREATE INDEX ix_vouchers_sale_order_id ON vouchers_sale (order_id)
