CREATE TABLE office_conflict (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, order_id TEXT NOT NULL, method TEXT NOT NULL,
    amount INTEGER NOT NULL, currency TEXT NOT NULL, taken_at TEXT NOT NULL, recorded_at TEXT NOT NULL,
    person_id TEXT NOT NULL, settled_at TEXT, settled_by TEXT, decision TEXT,
    CONSTRAINT pk_office_conflict PRIMARY KEY (id),
    CONSTRAINT fk_office_conflict_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_office_conflict_order_id FOREIGN KEY(order_id) REFERENCES customer_order (id)
) STRICT;

CREATE INDEX ix_office_conflict_enterprise ON office_conflict (enterprise_id, settled_at);

CREATE TABLE office_statement_mail (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, session_id TEXT NOT NULL, supplier_id TEXT NOT NULL,
    owed INTEGER NOT NULL, paid INTEGER NOT NULL, at TEXT NOT NULL, person_id TEXT NOT NULL,
    CONSTRAINT pk_office_statement_mail PRIMARY KEY (id),
    CONSTRAINT fk_office_statement_mail_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_office_statement_mail_session_id FOREIGN KEY(session_id) REFERENCES sale_session (id),
    CONSTRAINT fk_office_statement_mail_supplier_id FOREIGN KEY(supplier_id) REFERENCES enterprise (id)
) STRICT;

CREATE INDEX ix_office_statement_mail_session ON office_statement_mail (enterprise_id, session_id, supplier_id);

CREATE INDEX ix_office_conflict_order ON office_conflict (order_id);

CREATE TABLE office_packed_line (
    line_id TEXT NOT NULL, enterprise_id TEXT NOT NULL, session_id TEXT NOT NULL, order_id TEXT NOT NULL,
    quantity INTEGER NOT NULL, at TEXT NOT NULL, person_id TEXT NOT NULL,
    CONSTRAINT pk_office_packed_line PRIMARY KEY (line_id),
    CONSTRAINT fk_office_packed_line_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_office_packed_line_order_id FOREIGN KEY(order_id) REFERENCES customer_order (id) ON DELETE CASCADE
) STRICT;

CREATE INDEX ix_office_packed_line_session ON office_packed_line (enterprise_id, session_id);

CREATE INDEX ix_office_packed_line_order ON office_packed_line (order_id)
