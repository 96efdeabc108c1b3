CREATE TABLE custom_report_preset (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL, segment TEXT NOT NULL,
    columns TEXT NOT NULL, filters TEXT NOT NULL, ordered_by TEXT NOT NULL, grouped_by TEXT NOT NULL,
    put_together INTEGER NOT NULL, created_at TEXT NOT NULL, version INTEGER NOT NULL,
    CONSTRAINT pk_custom_report_preset PRIMARY KEY (id),
    CONSTRAINT fk_custom_report_preset_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT uq_custom_report_preset_enterprise_id_name UNIQUE (enterprise_id, name)
) STRICT
