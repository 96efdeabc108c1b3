CREATE TABLE custom_report_preset (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL, segment TEXT NOT NULL,
    columns JSONB NOT NULL, filters JSONB NOT NULL, ordered_by JSONB NOT NULL, grouped_by JSONB NOT NULL,
    put_together BOOLEAN NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL, version BIGINT NOT NULL,
    CONSTRAINT pk_custom_report_preset PRIMARY KEY (id),
    CONSTRAINT uq_custom_report_preset_enterprise_id_name UNIQUE (enterprise_id, name),
    CONSTRAINT fk_custom_report_preset_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
)
