CREATE TABLE shop_favourite (
    person_id TEXT NOT NULL, lot_id TEXT NOT NULL, marked_at TEXT NOT NULL,
    CONSTRAINT pk_shop_favourite PRIMARY KEY (person_id, lot_id),
    CONSTRAINT fk_shop_favourite_person_id FOREIGN KEY(person_id) REFERENCES person (id),
    CONSTRAINT fk_shop_favourite_lot_id FOREIGN KEY(lot_id) REFERENCES stock_lot (id)
) STRICT;

CREATE TABLE "shop_watch" (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, email TEXT NOT NULL, person_id TEXT, language TEXT NOT NULL,
    asked_at TEXT NOT NULL, confirmed_at TEXT, told_at TEXT, CONSTRAINT pk_shop_watch PRIMARY KEY (id),
    CONSTRAINT fk_shop_watch_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_shop_watch_person_id FOREIGN KEY(person_id) REFERENCES person (id),
    CONSTRAINT uq_shop_watch_enterprise_id_email UNIQUE (enterprise_id, email)
) STRICT;

CREATE INDEX ix_shop_watch_email ON shop_watch (email);

CREATE INDEX ix_shop_watch_person_id ON shop_watch (person_id);

CREATE INDEX ix_shop_watch_asked_at ON shop_watch (asked_at)
