CREATE TABLE job (
    id TEXT NOT NULL, kind TEXT NOT NULL, payload JSONB NOT NULL, state TEXT NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL, attempts BIGINT NOT NULL, claimed_until TIMESTAMP WITH TIME ZONE,
    error TEXT NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL, finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_job PRIMARY KEY (id),
    CONSTRAINT ck_job_state_known CHECK (state IN ('waiting', 'running', 'done', 'parked'))
);

CREATE INDEX ix_job_due ON job (state, due_at);

CREATE TABLE job_slot (
    name TEXT NOT NULL, slot TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_job_slot PRIMARY KEY (name, slot)
);

CREATE TABLE plugin_failure (
    plugin TEXT NOT NULL, hook TEXT NOT NULL, count BIGINT NOT NULL, what TEXT NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_plugin_failure PRIMARY KEY (plugin, hook)
);

CREATE TABLE audit_entry (
    id TEXT NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, enterprise_id TEXT, actor TEXT NOT NULL, person_id TEXT,
    token_id TEXT, request_id TEXT NOT NULL, command TEXT NOT NULL, action TEXT NOT NULL, object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL, rows BIGINT NOT NULL, client TEXT DEFAULT '' NOT NULL, fields JSONB NOT NULL,
    CONSTRAINT pk_audit_entry PRIMARY KEY (id)
);

CREATE INDEX ix_audit_entry_person ON audit_entry (person_id, id);

CREATE INDEX ix_audit_entry_object ON audit_entry (object_kind, object_id, id);

CREATE INDEX ix_audit_entry_enterprise ON audit_entry (enterprise_id, id);

CREATE OR REPLACE FUNCTION keep_audit_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF EXISTS (SELECT 1 FROM audit_expiry WHERE audit_expiry.before > OLD.at) THEN RETURN OLD; END IF;
  END IF;
  RAISE EXCEPTION 'audit_entry only grows' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER audit_entry_only_grows BEFORE UPDATE OR DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION keep_audit_entry();

CREATE TRIGGER audit_entry_not_emptied BEFORE TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION keep_audit_entry();

CREATE TABLE audit_expiry (
    id TEXT NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, before TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_audit_expiry PRIMARY KEY (id)
);

CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% only grows', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$;

CREATE TRIGGER audit_expiry_only_grows BEFORE UPDATE OR DELETE ON audit_expiry FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER audit_expiry_not_emptied BEFORE TRUNCATE ON audit_expiry FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE enterprise (
    id TEXT NOT NULL, slug TEXT NOT NULL, name TEXT NOT NULL, search TEXT DEFAULT '' NOT NULL,
    description TEXT NOT NULL, descriptions JSONB DEFAULT '{}' NOT NULL, is_producer BOOLEAN NOT NULL,
    is_hub BOOLEAN NOT NULL, visibility TEXT NOT NULL, email TEXT NOT NULL, phone TEXT NOT NULL,
    contact_name TEXT DEFAULT '' NOT NULL, website TEXT DEFAULT '' NOT NULL, social_media TEXT DEFAULT '' NOT NULL,
    street TEXT NOT NULL, postcode TEXT NOT NULL, city TEXT NOT NULL, country TEXT NOT NULL, latitude TEXT,
    longitude TEXT, language TEXT NOT NULL, timezone TEXT NOT NULL, currency TEXT NOT NULL, vat_number TEXT NOT NULL,
    prices_include_vat BOOLEAN NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    archived_at TIMESTAMP WITH TIME ZONE, version BIGINT NOT NULL, CONSTRAINT pk_enterprise PRIMARY KEY (id),
    CONSTRAINT ck_enterprise_visibility_known CHECK (visibility IN ('public', 'link', 'hidden')),
    CONSTRAINT uq_enterprise_slug UNIQUE (slug)
);

CREATE TABLE person (
    id TEXT NOT NULL, email TEXT NOT NULL, name TEXT NOT NULL, phone TEXT NOT NULL, language TEXT NOT NULL,
    password_hash TEXT, is_operator BOOLEAN NOT NULL, confirmed_at TIMESTAMP WITH TIME ZONE,
    disabled_at TIMESTAMP WITH TIME ZONE, created_at TIMESTAMP WITH TIME ZONE NOT NULL, version BIGINT NOT NULL,
    CONSTRAINT pk_person PRIMARY KEY (id), CONSTRAINT uq_person_email UNIQUE (email)
);

CREATE TABLE log_in_failure (
    email_hash TEXT NOT NULL, source TEXT NOT NULL, failures BIGINT NOT NULL, last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    next_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_log_in_failure PRIMARY KEY (email_hash, source)
);

CREATE INDEX ix_log_in_failure_last_at ON log_in_failure (last_at);

CREATE TABLE mailbox_count (
    mailbox TEXT NOT NULL, about TEXT NOT NULL, hour_began_at TIMESTAMP WITH TIME ZONE NOT NULL,
    hour_sent BIGINT NOT NULL, day_began_at TIMESTAMP WITH TIME ZONE NOT NULL, day_sent BIGINT NOT NULL,
    CONSTRAINT pk_mailbox_count PRIMARY KEY (mailbox, about)
);

CREATE INDEX ix_mailbox_count_day_began_at ON mailbox_count (day_began_at);

CREATE TABLE idempotent_answer (
    actor TEXT NOT NULL, key TEXT NOT NULL, request_hash TEXT NOT NULL, status BIGINT, headers JSONB, body TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_idempotent_answer PRIMARY KEY (actor, key)
);

CREATE INDEX ix_idempotent_answer_created ON idempotent_answer (created_at);

CREATE TABLE shown_page (
    id_hash TEXT NOT NULL, sealed TEXT NOT NULL, expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_shown_page PRIMARY KEY (id_hash)
);

CREATE INDEX ix_shown_page_expires_at ON shown_page (expires_at);

CREATE TABLE mailed_link (
    hash TEXT NOT NULL, purpose TEXT NOT NULL, subject_id TEXT NOT NULL, expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_mailed_link PRIMARY KEY (hash)
);

CREATE INDEX ix_mailed_link_expires_at ON mailed_link (expires_at);

CREATE TABLE sale_closing (
    session_id TEXT NOT NULL, noticed_at TIMESTAMP WITH TIME ZONE NOT NULL, reminded_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_sale_closing PRIMARY KEY (session_id)
);

CREATE TABLE upkeep (
    kind TEXT NOT NULL, due_at TIMESTAMP WITH TIME ZONE NOT NULL, promised_at TIMESTAMP WITH TIME ZONE NOT NULL,
    job_id TEXT NOT NULL, done_at TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_upkeep PRIMARY KEY (kind, due_at),
    CONSTRAINT ck_upkeep_kind_known CHECK (kind IN ('backup', 'backup_trial'))
);

CREATE TABLE sale_opening (
    session_id TEXT NOT NULL, announced_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_sale_opening PRIMARY KEY (session_id)
);

CREATE TABLE enterprise_member (
    enterprise_id TEXT NOT NULL, person_id TEXT NOT NULL, role TEXT NOT NULL, takes_money BOOLEAN DEFAULT '0' NOT NULL,
    scopes JSONB DEFAULT '[]' NOT NULL, since TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_enterprise_member PRIMARY KEY (enterprise_id, person_id),
    CONSTRAINT fk_enterprise_member_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_enterprise_member_person_id FOREIGN KEY(person_id) REFERENCES person (id)
);

CREATE INDEX ix_enterprise_member_person_id ON enterprise_member (person_id);

CREATE TABLE enterprise_role (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, name TEXT NOT NULL, scopes JSONB NOT NULL, version BIGINT NOT NULL,
    CONSTRAINT pk_enterprise_role PRIMARY KEY (id),
    CONSTRAINT uq_enterprise_role_enterprise_id_name UNIQUE (enterprise_id, name),
    CONSTRAINT fk_enterprise_role_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE TABLE member_invitation (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, email TEXT NOT NULL, role TEXT NOT NULL,
    invited_by TEXT DEFAULT '' NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_member_invitation PRIMARY KEY (id),
    CONSTRAINT uq_member_invitation_enterprise_id_email UNIQUE (enterprise_id, email),
    CONSTRAINT fk_member_invitation_enterprise_id_enterprise FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE INDEX ix_member_invitation_expires_at ON member_invitation (expires_at);

CREATE INDEX ix_member_invitation_email ON member_invitation (email);

CREATE TABLE customer_category (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, name TEXT NOT NULL, version BIGINT NOT NULL,
    CONSTRAINT pk_customer_category PRIMARY KEY (id),
    CONSTRAINT uq_customer_category_enterprise_id_name UNIQUE (enterprise_id, name),
    CONSTRAINT fk_customer_category_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE TABLE customer (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, person_id TEXT, email TEXT NOT NULL, name TEXT NOT NULL,
    search TEXT DEFAULT '' NOT NULL, phone TEXT NOT NULL, code TEXT, note TEXT NOT NULL,
    plugin_fields JSONB DEFAULT '{}' NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL, version BIGINT NOT NULL,
    CONSTRAINT pk_customer PRIMARY KEY (id), CONSTRAINT uq_customer_enterprise_id_email UNIQUE (enterprise_id, email),
    CONSTRAINT uq_customer_enterprise_id_code UNIQUE (enterprise_id, code),
    CONSTRAINT fk_customer_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_customer_person_id FOREIGN KEY(person_id) REFERENCES person (id)
);

CREATE INDEX ix_customer_person_id ON customer (person_id) WHERE person_id IS NOT NULL;

CREATE INDEX ix_customer_email ON customer (email);

CREATE TABLE enterprise_grant (
    grantor_id TEXT NOT NULL, grantee_id TEXT NOT NULL, scope TEXT NOT NULL,
    granted_at TIMESTAMP WITH TIME ZONE NOT NULL, granted_by TEXT,
    CONSTRAINT pk_enterprise_grant PRIMARY KEY (grantor_id, grantee_id, scope),
    CONSTRAINT ck_enterprise_grant_scope_known CHECK (scope IN ('ReadEnterprise', 'WriteEnterprise', 'ReadProducts', 'WriteProducts', 'ReadOrders', 'WriteOrders')),
    CONSTRAINT fk_enterprise_grant_grantor_id FOREIGN KEY(grantor_id) REFERENCES enterprise (id),
    CONSTRAINT fk_enterprise_grant_grantee_id FOREIGN KEY(grantee_id) REFERENCES enterprise (id),
    CONSTRAINT fk_enterprise_grant_granted_by FOREIGN KEY(granted_by) REFERENCES person (id)
);

CREATE INDEX ix_enterprise_grant_grantee ON enterprise_grant (grantee_id, scope);

CREATE TABLE guest_policy (
    enterprise_id TEXT NOT NULL, guests TEXT NOT NULL, largest_unpaid BIGINT, orders_of_mailbox BIGINT NOT NULL,
    orders_of_network BIGINT NOT NULL, confirm_minutes BIGINT NOT NULL, unpaid_hours BIGINT NOT NULL,
    CONSTRAINT pk_guest_policy PRIMARY KEY (enterprise_id),
    CONSTRAINT ck_guest_policy_guests_known CHECK (guests IN ('no', 'link', 'yes')),
    CONSTRAINT fk_guest_policy_enterprise_id_enterprise FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE TABLE legal_text (
    id TEXT NOT NULL, enterprise_id TEXT, kind TEXT NOT NULL, version BIGINT NOT NULL, texts JSONB NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_legal_text PRIMARY KEY (id),
    CONSTRAINT ck_legal_text_kind_known CHECK (kind IN ('notice', 'terms', 'privacy', 'accessibility')),
    CONSTRAINT fk_legal_text_enterprise_id_enterprise FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE UNIQUE INDEX uq_legal_text_enterprise ON legal_text (enterprise_id, kind, version);

CREATE UNIQUE INDEX uq_legal_text_instance ON legal_text (kind, version) WHERE enterprise_id IS NULL;

CREATE TABLE enterprise_counter (
    enterprise_id TEXT NOT NULL, series TEXT NOT NULL, value BIGINT NOT NULL,
    CONSTRAINT pk_enterprise_counter PRIMARY KEY (enterprise_id, series),
    CONSTRAINT fk_enterprise_counter_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE TABLE enterprise_plugin (
    enterprise_id TEXT NOT NULL, plugin TEXT NOT NULL, settings JSONB NOT NULL, version BIGINT NOT NULL,
    CONSTRAINT pk_enterprise_plugin PRIMARY KEY (enterprise_id, plugin),
    CONSTRAINT fk_enterprise_plugin_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE TABLE person_session (
    hash TEXT NOT NULL, person_id TEXT NOT NULL, agent TEXT NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL, expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE, provider TEXT DEFAULT '' NOT NULL, provider_session TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_person_session PRIMARY KEY (hash),
    CONSTRAINT fk_person_session_person_id FOREIGN KEY(person_id) REFERENCES person (id)
);

CREATE INDEX ix_person_session_person_id ON person_session (person_id);

CREATE TABLE api_token (
    id TEXT NOT NULL, hash TEXT NOT NULL, person_id TEXT NOT NULL, enterprise_id TEXT, name TEXT NOT NULL,
    scopes JSONB NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL, expires_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_api_token PRIMARY KEY (id),
    CONSTRAINT uq_api_token_hash UNIQUE (hash),
    CONSTRAINT fk_api_token_person_id FOREIGN KEY(person_id) REFERENCES person (id),
    CONSTRAINT fk_api_token_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE INDEX ix_api_token_person_id ON api_token (person_id);

CREATE TABLE email_code (
    hash TEXT NOT NULL, person_id TEXT NOT NULL, purpose TEXT NOT NULL, email TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL, expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_email_code PRIMARY KEY (hash),
    CONSTRAINT ck_email_code_purpose_known CHECK (purpose IN ('confirm', 'reset', 'change')),
    CONSTRAINT fk_email_code_person_id FOREIGN KEY(person_id) REFERENCES person (id)
);

CREATE INDEX ix_email_code_person_id ON email_code (person_id);

CREATE INDEX ix_email_code_expires ON email_code (expires_at);

CREATE TABLE email_change (
    person_id TEXT NOT NULL, email TEXT NOT NULL, asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_email_change PRIMARY KEY (person_id),
    CONSTRAINT fk_email_change_person_id FOREIGN KEY(person_id) REFERENCES person (id)
);

CREATE INDEX ix_email_change_expires_at ON email_change (expires_at);

CREATE TABLE phone_proof (
    person_id TEXT NOT NULL, plugin TEXT NOT NULL, phone TEXT NOT NULL, enterprise_id TEXT NOT NULL, code_hash TEXT,
    tries BIGINT NOT NULL, asked_at TIMESTAMP WITH TIME ZONE NOT NULL, proven_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_phone_proof PRIMARY KEY (person_id, plugin, phone),
    CONSTRAINT fk_phone_proof_person_id_person FOREIGN KEY(person_id) REFERENCES person (id),
    CONSTRAINT fk_phone_proof_enterprise_id_enterprise FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE INDEX ix_phone_proof_phone ON phone_proof (phone, asked_at);

CREATE INDEX ix_phone_proof_enterprise ON phone_proof (enterprise_id, asked_at);

CREATE TABLE known_browser (
    hash TEXT NOT NULL, person_id TEXT NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_known_browser PRIMARY KEY (hash),
    CONSTRAINT fk_known_browser_person_id_person FOREIGN KEY(person_id) REFERENCES person (id)
);

CREATE INDEX ix_known_browser_expires_at ON known_browser (expires_at);

CREATE INDEX ix_known_browser_person_id ON known_browser (person_id);

CREATE TABLE person_second_factor (
    person_id TEXT NOT NULL, secret TEXT NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    confirmed_at TIMESTAMP WITH TIME ZONE, last_step BIGINT NOT NULL,
    CONSTRAINT pk_person_second_factor PRIMARY KEY (person_id),
    CONSTRAINT fk_person_second_factor_person_id_person FOREIGN KEY(person_id) REFERENCES person (id)
);

CREATE TABLE person_recovery_code (
    hash TEXT NOT NULL, person_id TEXT NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_person_recovery_code PRIMARY KEY (hash),
    CONSTRAINT fk_person_recovery_code_person_id_person FOREIGN KEY(person_id) REFERENCES person (id)
);

CREATE INDEX ix_person_recovery_code_person_id ON person_recovery_code (person_id);

CREATE TABLE log_in_begun (
    hash TEXT NOT NULL, person_id TEXT NOT NULL, expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    provider TEXT DEFAULT '' NOT NULL, provider_session TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_log_in_begun PRIMARY KEY (hash),
    CONSTRAINT fk_log_in_begun_person_id_person FOREIGN KEY(person_id) REFERENCES person (id)
);

CREATE INDEX ix_log_in_begun_person_id ON log_in_begun (person_id);

CREATE INDEX ix_log_in_begun_expires_at ON log_in_begun (expires_at);

CREATE TABLE person_identity (
    id TEXT NOT NULL, person_id TEXT NOT NULL, provider TEXT NOT NULL, issuer TEXT NOT NULL, subject TEXT NOT NULL,
    label TEXT NOT NULL, linked_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_person_identity PRIMARY KEY (id),
    CONSTRAINT uq_person_identity_issuer_subject UNIQUE (issuer, subject),
    CONSTRAINT fk_person_identity_person_id_person FOREIGN KEY(person_id) REFERENCES person (id)
);

CREATE INDEX ix_person_identity_person_id ON person_identity (person_id);

CREATE TABLE log_in_departure (
    hash TEXT NOT NULL, provider TEXT NOT NULL, person_id TEXT, next_url TEXT NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_log_in_departure PRIMARY KEY (hash),
    CONSTRAINT fk_log_in_departure_person_id_person FOREIGN KEY(person_id) REFERENCES person (id)
);

CREATE INDEX ix_log_in_departure_person_id ON log_in_departure (person_id);

CREATE INDEX ix_log_in_departure_expires_at ON log_in_departure (expires_at);

CREATE TABLE counted_till (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, number BIGINT NOT NULL, method TEXT NOT NULL, currency TEXT NOT NULL,
    until BIGINT NOT NULL, float_before BIGINT NOT NULL, taken BIGINT NOT NULL, counted BIGINT NOT NULL,
    float_after BIGINT NOT NULL, reason TEXT NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, person_id TEXT NOT NULL,
    CONSTRAINT pk_counted_till PRIMARY KEY (id),
    CONSTRAINT uq_counted_till_enterprise_id_number UNIQUE (enterprise_id, number),
    CONSTRAINT ck_counted_till_amounts_fit CHECK (counted >= 0 AND float_after >= 0 AND float_after <= counted),
    CONSTRAINT fk_counted_till_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE INDEX ix_counted_till_method ON counted_till (enterprise_id, method, number);

CREATE TRIGGER counted_till_only_grows BEFORE UPDATE OR DELETE ON counted_till FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER counted_till_not_emptied BEFORE TRUNCATE ON counted_till FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE catalog (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, name TEXT NOT NULL, version BIGINT NOT NULL,
    CONSTRAINT pk_catalog PRIMARY KEY (id), CONSTRAINT uq_catalog_enterprise_id_name UNIQUE (enterprise_id, name),
    CONSTRAINT fk_catalog_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE TABLE image (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, sha256 TEXT NOT NULL, width BIGINT NOT NULL, height BIGINT NOT NULL,
    bytes BIGINT NOT NULL, alt TEXT NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_image PRIMARY KEY (id),
    CONSTRAINT fk_image_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE INDEX ix_image_enterprise_id ON image (enterprise_id);

CREATE TABLE producer_absence (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, first_day TEXT NOT NULL, last_day TEXT NOT NULL,
    CONSTRAINT pk_producer_absence PRIMARY KEY (id),
    CONSTRAINT ck_producer_absence_days_in_order CHECK (first_day <= last_day),
    CONSTRAINT fk_producer_absence_enterprise_id_enterprise FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE INDEX ix_producer_absence_enterprise ON producer_absence (enterprise_id, last_day);

CREATE TABLE coordination (
    id TEXT NOT NULL, coordinator_id TEXT NOT NULL, name TEXT NOT NULL, opens_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closes_at TIMESTAMP WITH TIME ZONE NOT NULL, planned_closes_at TIMESTAMP WITH TIME ZONE, rhythm TEXT,
    previous_id TEXT, cancelled_at TIMESTAMP WITH TIME ZONE, completed_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL, version BIGINT NOT NULL, CONSTRAINT pk_coordination PRIMARY KEY (id),
    CONSTRAINT ck_coordination_closes_after_opening CHECK (closes_at > opens_at),
    CONSTRAINT fk_coordination_coordinator_id FOREIGN KEY(coordinator_id) REFERENCES enterprise (id),
    CONSTRAINT uq_coordination_previous_id UNIQUE (previous_id),
    CONSTRAINT fk_coordination_previous_id FOREIGN KEY(previous_id) REFERENCES coordination (id)
);

CREATE INDEX ix_coordination_rhythm ON coordination (closes_at) WHERE rhythm IS NOT NULL;

CREATE INDEX ix_coordination_coordinator ON coordination (coordinator_id, id);

CREATE INDEX ix_coordination_open ON coordination (completed_at, closes_at);

CREATE TABLE closing_policy (
    enterprise_id TEXT NOT NULL, telling TEXT NOT NULL, shortage TEXT NOT NULL, final_mail BOOLEAN DEFAULT '1' NOT NULL,
    reminder BOOLEAN DEFAULT '1' NOT NULL, CONSTRAINT pk_closing_policy PRIMARY KEY (enterprise_id),
    CONSTRAINT ck_closing_policy_telling_known CHECK (telling IN ('at the cut-off', 'by hand')),
    CONSTRAINT ck_closing_policy_shortage_known CHECK (shortage IN ('newest first', 'pro rata', 'by hand')),
    CONSTRAINT fk_closing_policy_enterprise_id_enterprise FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE TABLE stock_lot (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, name TEXT NOT NULL, unit TEXT NOT NULL, per_unit BIGINT NOT NULL,
    unlimited BOOLEAN NOT NULL, free BIGINT NOT NULL, reserved BIGINT NOT NULL, sold BIGINT NOT NULL,
    lent BIGINT DEFAULT 0 NOT NULL, beyond BIGINT DEFAULT '0' NOT NULL, free_until TIMESTAMP WITH TIME ZONE,
    low_level BIGINT, created_at TIMESTAMP WITH TIME ZONE NOT NULL, version BIGINT NOT NULL,
    CONSTRAINT pk_stock_lot PRIMARY KEY (id), CONSTRAINT ck_stock_lot_free_not_negative CHECK (free >= 0),
    CONSTRAINT ck_stock_lot_reserved_not_negative CHECK (reserved >= 0),
    CONSTRAINT ck_stock_lot_sold_not_negative CHECK (sold >= 0),
    CONSTRAINT ck_stock_lot_lent_not_negative CHECK (lent >= 0),
    CONSTRAINT ck_stock_lot_per_unit_positive CHECK (per_unit > 0),
    CONSTRAINT ck_stock_lot_low_level_not_negative CHECK (low_level >= 0),
    CONSTRAINT fk_stock_lot_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE INDEX ix_stock_lot_enterprise_id ON stock_lot (enterprise_id);

CREATE INDEX ix_stock_lot_watched ON stock_lot (enterprise_id) WHERE low_level IS NOT NULL;

CREATE TABLE customer_in_category (
    customer_id TEXT NOT NULL, category_id TEXT NOT NULL,
    CONSTRAINT pk_customer_in_category PRIMARY KEY (customer_id, category_id),
    CONSTRAINT fk_customer_in_category_customer_id FOREIGN KEY(customer_id) REFERENCES customer (id),
    CONSTRAINT fk_customer_in_category_category_id FOREIGN KEY(category_id) REFERENCES customer_category (id)
);

CREATE INDEX ix_customer_in_category_category_id ON customer_in_category (category_id);

CREATE TABLE customer_person (
    customer_id TEXT NOT NULL, person_id TEXT NOT NULL, enterprise_id TEXT NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_customer_person PRIMARY KEY (customer_id, person_id),
    CONSTRAINT uq_customer_person_person_id_enterprise_id UNIQUE (person_id, enterprise_id),
    CONSTRAINT fk_customer_person_customer_id_customer FOREIGN KEY(customer_id) REFERENCES customer (id),
    CONSTRAINT fk_customer_person_person_id_person FOREIGN KEY(person_id) REFERENCES person (id),
    CONSTRAINT fk_customer_person_enterprise_id_enterprise FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE TABLE household_invitation (
    id TEXT NOT NULL, customer_id TEXT NOT NULL, email TEXT NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_household_invitation PRIMARY KEY (id),
    CONSTRAINT uq_household_invitation_customer_id_email UNIQUE (customer_id, email),
    CONSTRAINT fk_household_invitation_customer_id_customer FOREIGN KEY(customer_id) REFERENCES customer (id)
);

CREATE INDEX ix_household_invitation_email ON household_invitation (email);

CREATE INDEX ix_household_invitation_expires_at ON household_invitation (expires_at);

CREATE TABLE taken_back_count (
    count_id TEXT NOT NULL, enterprise_id TEXT NOT NULL, number BIGINT NOT NULL, reason TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL, person_id TEXT NOT NULL,
    CONSTRAINT pk_taken_back_count PRIMARY KEY (count_id),
    CONSTRAINT uq_taken_back_count_enterprise_id_number UNIQUE (enterprise_id, number),
    CONSTRAINT fk_taken_back_count_count_id FOREIGN KEY(count_id) REFERENCES counted_till (id),
    CONSTRAINT fk_taken_back_count_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE TRIGGER taken_back_count_only_grows BEFORE UPDATE OR DELETE ON taken_back_count FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER taken_back_count_not_emptied BEFORE TRUNCATE ON taken_back_count FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE enterprise_picture (
    enterprise_id TEXT NOT NULL, kind TEXT NOT NULL, image_id TEXT NOT NULL,
    CONSTRAINT pk_enterprise_picture PRIMARY KEY (enterprise_id, kind),
    CONSTRAINT ck_enterprise_picture_kind_known CHECK (kind IN ('logo', 'cover')),
    CONSTRAINT fk_enterprise_picture_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_enterprise_picture_image_id FOREIGN KEY(image_id) REFERENCES image (id)
);

CREATE INDEX ix_enterprise_picture_image_id ON enterprise_picture (image_id);

CREATE TABLE supplied_product (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, lot_id TEXT NOT NULL, lot_quantity BIGINT NOT NULL,
    name TEXT NOT NULL, description TEXT NOT NULL, product_type TEXT NOT NULL, sku TEXT, quantity TEXT NOT NULL,
    unit TEXT NOT NULL, weighed BOOLEAN NOT NULL, weight_tolerance TEXT, labels JSONB NOT NULL,
    allergens JSONB NOT NULL, origins JSONB DEFAULT '[]' NOT NULL, handling JSONB DEFAULT '[]' NOT NULL,
    lifetime TEXT DEFAULT '' NOT NULL, storage TEXT DEFAULT '' NOT NULL, nutrition TEXT DEFAULT '' NOT NULL,
    names JSONB DEFAULT '{}' NOT NULL, descriptions JSONB DEFAULT '{}' NOT NULL, deposit BIGINT NOT NULL, image_id TEXT,
    search TEXT NOT NULL, plugin_fields JSONB DEFAULT '{}' NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    archived_at TIMESTAMP WITH TIME ZONE, version BIGINT NOT NULL, CONSTRAINT pk_supplied_product PRIMARY KEY (id),
    CONSTRAINT uq_supplied_product_enterprise_id_sku UNIQUE (enterprise_id, sku),
    CONSTRAINT ck_supplied_product_lot_quantity_positive CHECK (lot_quantity > 0),
    CONSTRAINT ck_supplied_product_deposit_not_negative CHECK (deposit >= 0),
    CONSTRAINT fk_supplied_product_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_supplied_product_lot_id FOREIGN KEY(lot_id) REFERENCES stock_lot (id),
    CONSTRAINT fk_supplied_product_image_id FOREIGN KEY(image_id) REFERENCES image (id)
);

CREATE INDEX ix_supplied_product_enterprise ON supplied_product (enterprise_id, id);

CREATE INDEX ix_supplied_product_lot_id ON supplied_product (lot_id);

CREATE TABLE coordination_supplier (
    coordination_id TEXT NOT NULL, enterprise_id TEXT NOT NULL, closes_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_coordination_supplier PRIMARY KEY (coordination_id, enterprise_id),
    CONSTRAINT fk_coordination_supplier_coordination_id FOREIGN KEY(coordination_id) REFERENCES coordination (id),
    CONSTRAINT fk_coordination_supplier_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE INDEX ix_coordination_supplier_enterprise_id ON coordination_supplier (enterprise_id);

CREATE TABLE sale_session (
    id TEXT NOT NULL, coordination_id TEXT NOT NULL, enterprise_id TEXT NOT NULL, catalog_id TEXT NOT NULL,
    opens_at TIMESTAMP WITH TIME ZONE NOT NULL, closes_at TIMESTAMP WITH TIME ZONE NOT NULL,
    planned_closes_at TIMESTAMP WITH TIME ZONE, begins_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL, names JSONB DEFAULT '{}' NOT NULL, note TEXT NOT NULL,
    notes JSONB DEFAULT '{}' NOT NULL, books_closed_at TIMESTAMP WITH TIME ZONE,
    planned_begins_at TIMESTAMP WITH TIME ZONE, planned_ends_at TIMESTAMP WITH TIME ZONE, version BIGINT NOT NULL,
    CONSTRAINT pk_sale_session PRIMARY KEY (id),
    CONSTRAINT uq_sale_session_coordination_id_enterprise_id UNIQUE (coordination_id, enterprise_id),
    CONSTRAINT ck_sale_session_closes_after_opening CHECK (closes_at > opens_at),
    CONSTRAINT fk_sale_session_coordination_id FOREIGN KEY(coordination_id) REFERENCES coordination (id),
    CONSTRAINT fk_sale_session_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_sale_session_catalog_id FOREIGN KEY(catalog_id) REFERENCES catalog (id)
);

CREATE INDEX ix_sale_session_shop ON sale_session (enterprise_id, closes_at);

CREATE INDEX ix_sale_session_closes ON sale_session (closes_at, id);

CREATE TABLE low_stock_notice (
    lot_id TEXT NOT NULL, told_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_low_stock_notice PRIMARY KEY (lot_id),
    CONSTRAINT fk_low_stock_notice_lot_id FOREIGN KEY(lot_id) REFERENCES stock_lot (id)
);

CREATE TABLE stock_movement (
    id TEXT NOT NULL, lot_id TEXT NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, kind TEXT NOT NULL,
    free_change BIGINT NOT NULL, reserved_change BIGINT NOT NULL, sold_change BIGINT NOT NULL,
    lent_change BIGINT DEFAULT '0' NOT NULL, order_id TEXT, person_id TEXT, note TEXT NOT NULL,
    CONSTRAINT pk_stock_movement PRIMARY KEY (id),
    CONSTRAINT ck_stock_movement_kind_known CHECK (kind IN ('received', 'counted', 'taken', 'released', 'sold', 'restocked', 'weighed', 'lent', 'leased')),
    CONSTRAINT fk_stock_movement_lot_id FOREIGN KEY(lot_id) REFERENCES stock_lot (id)
);

CREATE INDEX ix_stock_movement_lot ON stock_movement (lot_id, id);

CREATE TRIGGER stock_movement_only_grows BEFORE UPDATE OR DELETE ON stock_movement FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER stock_movement_not_emptied BEFORE TRUNCATE ON stock_movement FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE customer_order (
    id TEXT NOT NULL, session_id TEXT NOT NULL, enterprise_id TEXT NOT NULL, customer_id TEXT,
    identity TEXT DEFAULT 'typed' NOT NULL, person_id TEXT, secret_hash TEXT, number BIGINT, state TEXT NOT NULL,
    payment_state TEXT NOT NULL, fulfilment_state TEXT NOT NULL, currency TEXT NOT NULL,
    prices_include_vat BOOLEAN NOT NULL, name TEXT NOT NULL, email TEXT NOT NULL, phone TEXT NOT NULL,
    language TEXT NOT NULL, note TEXT NOT NULL, collector TEXT DEFAULT '' NOT NULL, shipping TEXT NOT NULL,
    shipping_label TEXT NOT NULL, shipping_address TEXT DEFAULT '' NOT NULL, shipping_note TEXT DEFAULT '' NOT NULL,
    payment_method TEXT NOT NULL, codes JSONB DEFAULT '[]' NOT NULL, address JSONB,
    plugin_fields JSONB DEFAULT '{}' NOT NULL, terms_id TEXT, products_total BIGINT NOT NULL,
    deposits_total BIGINT NOT NULL, adjustments_total BIGINT NOT NULL, vat_total BIGINT NOT NULL, total BIGINT NOT NULL,
    total_at_most BIGINT, paid_total BIGINT NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    placed_at TIMESTAMP WITH TIME ZONE, changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    cancelled_at TIMESTAMP WITH TIME ZONE, restocked BOOLEAN, fulfilled_at TIMESTAMP WITH TIME ZONE, crates BIGINT,
    version BIGINT NOT NULL, CONSTRAINT pk_customer_order PRIMARY KEY (id),
    CONSTRAINT uq_customer_order_enterprise_id_number UNIQUE (enterprise_id, number),
    CONSTRAINT ck_customer_order_identity_known CHECK (identity IN ('typed', 'proven', 'hub')),
    CONSTRAINT ck_customer_order_state_known CHECK (state IN ('Draft', 'Held', 'Complete', 'Cancelled')),
    CONSTRAINT ck_customer_order_payment_state_known CHECK (payment_state IN ('Unpaid', 'Paid', 'Cancelled')),
    CONSTRAINT ck_customer_order_fulfilment_state_known CHECK (fulfilment_state IN ('Unfulfilled', 'Held', 'Fulfilled', 'Cancelled')),
    CONSTRAINT ck_customer_order_total_not_negative CHECK (total >= 0),
    CONSTRAINT ck_customer_order_placed_has_number CHECK (state = 'Draft' OR (number IS NOT NULL AND placed_at IS NOT NULL)),
    CONSTRAINT fk_customer_order_session_id FOREIGN KEY(session_id) REFERENCES sale_session (id),
    CONSTRAINT fk_customer_order_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_customer_order_customer_id FOREIGN KEY(customer_id) REFERENCES customer (id),
    CONSTRAINT fk_customer_order_person_id FOREIGN KEY(person_id) REFERENCES person (id),
    CONSTRAINT fk_customer_order_terms_id_legal_text FOREIGN KEY(terms_id) REFERENCES legal_text (id)
);

CREATE INDEX ix_customer_order_session ON customer_order (session_id, state, id);

CREATE INDEX ix_customer_order_person ON customer_order (person_id, id) WHERE person_id IS NOT NULL;

CREATE UNIQUE INDEX uq_customer_order_secret ON customer_order (secret_hash);

CREATE INDEX ix_customer_order_unpaid ON customer_order (enterprise_id, number) WHERE payment_state = 'Unpaid';

CREATE INDEX ix_customer_order_customer_id ON customer_order (customer_id);

CREATE UNIQUE INDEX uq_customer_order_cart ON customer_order (session_id, person_id) WHERE state = 'Draft' AND person_id IS NOT NULL;

CREATE TABLE catalog_item (
    id TEXT NOT NULL, catalog_id TEXT NOT NULL, product_id TEXT NOT NULL, name TEXT, position BIGINT NOT NULL,
    hidden BOOLEAN NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL, version BIGINT NOT NULL,
    CONSTRAINT pk_catalog_item PRIMARY KEY (id),
    CONSTRAINT uq_catalog_item_catalog_id_product_id UNIQUE (catalog_id, product_id),
    CONSTRAINT fk_catalog_item_catalog_id FOREIGN KEY(catalog_id) REFERENCES catalog (id),
    CONSTRAINT fk_catalog_item_product_id FOREIGN KEY(product_id) REFERENCES supplied_product (id)
);

CREATE INDEX ix_catalog_item_product_id ON catalog_item (product_id);

CREATE TABLE product_vat (
    product_id TEXT NOT NULL, valid_from TEXT NOT NULL, rate TEXT NOT NULL,
    CONSTRAINT pk_product_vat PRIMARY KEY (product_id, valid_from),
    CONSTRAINT fk_product_vat_product_id FOREIGN KEY(product_id) REFERENCES supplied_product (id)
);

CREATE TABLE sale_part (
    session_id TEXT NOT NULL, supplier_id TEXT NOT NULL, state TEXT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE NOT NULL, told_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_sale_part PRIMARY KEY (session_id, supplier_id),
    CONSTRAINT ck_sale_part_state_known CHECK (state IN ('closed', 'told')),
    CONSTRAINT fk_sale_part_session_id_sale_session FOREIGN KEY(session_id) REFERENCES sale_session (id),
    CONSTRAINT fk_sale_part_supplier_id_enterprise FOREIGN KEY(supplier_id) REFERENCES enterprise (id)
);

CREATE INDEX ix_sale_part_supplier_id ON sale_part (supplier_id);

CREATE TABLE purchase_order (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, supplier_id TEXT NOT NULL, session_id TEXT NOT NULL,
    number BIGINT NOT NULL, revision BIGINT NOT NULL, currency TEXT NOT NULL, prices_include_vat BOOLEAN NOT NULL,
    state TEXT NOT NULL, mail_state TEXT NOT NULL, placed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL, compared_at TIMESTAMP WITH TIME ZONE NOT NULL,
    answered_at TIMESTAMP WITH TIME ZONE, version BIGINT NOT NULL, received_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_purchase_order PRIMARY KEY (id),
    CONSTRAINT uq_purchase_order_enterprise_id_number UNIQUE (enterprise_id, number),
    CONSTRAINT uq_purchase_order_session_id_supplier_id UNIQUE (session_id, supplier_id),
    CONSTRAINT ck_purchase_order_state_known CHECK (state IN ('placed', 'confirmed', 'shortened')),
    CONSTRAINT ck_purchase_order_mail_state_known CHECK (mail_state IN ('no address', 'waiting', 'sent', 'failed')),
    CONSTRAINT fk_purchase_order_enterprise_id_enterprise FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_purchase_order_supplier_id_enterprise FOREIGN KEY(supplier_id) REFERENCES enterprise (id),
    CONSTRAINT fk_purchase_order_session_id_sale_session FOREIGN KEY(session_id) REFERENCES sale_session (id)
);

CREATE INDEX ix_purchase_order_supplier ON purchase_order (supplier_id, id);

CREATE TABLE supplier_payment (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, supplier_id TEXT NOT NULL, session_id TEXT NOT NULL,
    amount BIGINT NOT NULL, currency TEXT NOT NULL, reference TEXT NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL,
    person_id TEXT NOT NULL, CONSTRAINT pk_supplier_payment PRIMARY KEY (id),
    CONSTRAINT ck_supplier_payment_some_money CHECK (amount <> 0),
    CONSTRAINT fk_supplier_payment_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_supplier_payment_supplier_id FOREIGN KEY(supplier_id) REFERENCES enterprise (id),
    CONSTRAINT fk_supplier_payment_session_id FOREIGN KEY(session_id) REFERENCES sale_session (id)
);

CREATE INDEX ix_supplier_payment_session ON supplier_payment (enterprise_id, session_id);

CREATE TRIGGER supplier_payment_only_grows BEFORE UPDATE OR DELETE ON supplier_payment FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER supplier_payment_not_emptied BEFORE TRUNCATE ON supplier_payment FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE session_books (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, session_id TEXT NOT NULL, kind TEXT NOT NULL, figures JSONB NOT NULL,
    reason TEXT NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, person_id TEXT NOT NULL,
    CONSTRAINT pk_session_books PRIMARY KEY (id),
    CONSTRAINT ck_session_books_kind_known CHECK (kind IN ('closed', 'opened again')),
    CONSTRAINT fk_session_books_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_session_books_session_id FOREIGN KEY(session_id) REFERENCES sale_session (id)
);

CREATE INDEX ix_session_books_session_id ON session_books (session_id);

CREATE TRIGGER session_books_only_grows BEFORE UPDATE OR DELETE ON session_books FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER session_books_not_emptied BEFORE TRUNCATE ON session_books FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE order_link (
    secret_hash TEXT NOT NULL, order_id TEXT NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_order_link PRIMARY KEY (secret_hash),
    CONSTRAINT fk_order_link_order_id_customer_order FOREIGN KEY(order_id) REFERENCES customer_order (id)
);

CREATE INDEX ix_order_link_order_id ON order_link (order_id);

CREATE TABLE guest_order (
    order_id TEXT NOT NULL, enterprise_id TEXT NOT NULL, mailbox TEXT NOT NULL, network TEXT NOT NULL,
    placed_at TIMESTAMP WITH TIME ZONE NOT NULL, confirm_by TIMESTAMP WITH TIME ZONE, pay_by TIMESTAMP WITH TIME ZONE,
    expired_at TIMESTAMP WITH TIME ZONE, confirmed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_guest_order PRIMARY KEY (order_id),
    CONSTRAINT fk_guest_order_order_id_customer_order FOREIGN KEY(order_id) REFERENCES customer_order (id),
    CONSTRAINT fk_guest_order_enterprise_id_enterprise FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE INDEX ix_guest_order_network ON guest_order (enterprise_id, network);

CREATE INDEX ix_guest_order_mailbox ON guest_order (enterprise_id, mailbox);

CREATE TABLE cart_line (
    order_id TEXT NOT NULL, item_id TEXT NOT NULL, quantity BIGINT NOT NULL,
    CONSTRAINT pk_cart_line PRIMARY KEY (order_id, item_id),
    CONSTRAINT ck_cart_line_quantity_positive CHECK (quantity > 0),
    CONSTRAINT fk_cart_line_order_id FOREIGN KEY(order_id) REFERENCES customer_order (id) ON DELETE CASCADE,
    CONSTRAINT fk_cart_line_item_id FOREIGN KEY(item_id) REFERENCES catalog_item (id)
);

CREATE TABLE order_line (
    id TEXT NOT NULL, order_id TEXT NOT NULL, position BIGINT NOT NULL, item_id TEXT NOT NULL, product_id TEXT NOT NULL,
    supplier_id TEXT NOT NULL, lot_id TEXT NOT NULL, lot_quantity BIGINT NOT NULL, name TEXT NOT NULL,
    unit_quantity TEXT NOT NULL, unit TEXT NOT NULL, price BIGINT NOT NULL, list_price BIGINT, deposit BIGINT NOT NULL,
    vat_rate TEXT NOT NULL, weighed BOOLEAN NOT NULL, weight_tolerance TEXT, quantity BIGINT NOT NULL,
    final_quantity TEXT, amount BIGINT NOT NULL, settled_cost BIGINT, substitutes_id TEXT,
    CONSTRAINT pk_order_line PRIMARY KEY (id), CONSTRAINT ck_order_line_quantity_not_negative CHECK (quantity >= 0),
    CONSTRAINT fk_order_line_order_id FOREIGN KEY(order_id) REFERENCES customer_order (id),
    CONSTRAINT fk_order_line_item_id FOREIGN KEY(item_id) REFERENCES catalog_item (id),
    CONSTRAINT fk_order_line_product_id FOREIGN KEY(product_id) REFERENCES supplied_product (id),
    CONSTRAINT fk_order_line_supplier_id FOREIGN KEY(supplier_id) REFERENCES enterprise (id),
    CONSTRAINT fk_order_line_lot_id FOREIGN KEY(lot_id) REFERENCES stock_lot (id),
    CONSTRAINT fk_order_line_substitutes_id FOREIGN KEY(substitutes_id) REFERENCES order_line (id)
);

CREATE INDEX ix_order_line_substitutes_id ON order_line (substitutes_id) WHERE substitutes_id IS NOT NULL;

CREATE INDEX ix_order_line_order ON order_line (order_id, position);

CREATE TABLE container_return (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, order_id TEXT NOT NULL, supplier_id TEXT NOT NULL,
    deposit BIGINT NOT NULL, pieces BIGINT NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, person_id TEXT,
    CONSTRAINT pk_container_return PRIMARY KEY (id),
    CONSTRAINT ck_container_return_deposit_positive CHECK (deposit > 0),
    CONSTRAINT ck_container_return_some_pieces CHECK (pieces <> 0),
    CONSTRAINT fk_container_return_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_container_return_order_id FOREIGN KEY(order_id) REFERENCES customer_order (id),
    CONSTRAINT fk_container_return_supplier_id FOREIGN KEY(supplier_id) REFERENCES enterprise (id)
);

CREATE INDEX ix_container_return_order_id ON container_return (order_id);

CREATE TRIGGER container_return_only_grows BEFORE UPDATE OR DELETE ON container_return FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER container_return_not_emptied BEFORE TRUNCATE ON container_return FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE order_change (
    id TEXT NOT NULL, order_id TEXT NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, changed_by TEXT NOT NULL,
    goods JSONB NOT NULL, total_before BIGINT NOT NULL, total_after BIGINT NOT NULL,
    CONSTRAINT pk_order_change PRIMARY KEY (id),
    CONSTRAINT ck_order_change_changed_by CHECK (changed_by IN ('customer', 'hub')),
    CONSTRAINT fk_order_change_order_id FOREIGN KEY(order_id) REFERENCES customer_order (id)
);

CREATE INDEX ix_order_change_order_id ON order_change (order_id);

CREATE TRIGGER order_change_only_grows BEFORE UPDATE OR DELETE ON order_change FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER order_change_not_emptied BEFORE TRUNCATE ON order_change FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE order_vat (
    order_id TEXT NOT NULL, rate TEXT NOT NULL, net BIGINT NOT NULL, vat BIGINT NOT NULL,
    CONSTRAINT pk_order_vat PRIMARY KEY (order_id, rate),
    CONSTRAINT fk_order_vat_order_id FOREIGN KEY(order_id) REFERENCES customer_order (id)
);

CREATE TABLE order_consent (
    id TEXT NOT NULL, order_id TEXT NOT NULL, request TEXT NOT NULL, text TEXT NOT NULL,
    given_at TIMESTAMP WITH TIME ZONE NOT NULL, withdrawn_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_order_consent PRIMARY KEY (id),
    CONSTRAINT fk_order_consent_order_id_customer_order FOREIGN KEY(order_id) REFERENCES customer_order (id)
);

CREATE INDEX ix_order_consent_order ON order_consent (order_id, request);

CREATE TABLE payment (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, order_id TEXT NOT NULL, kind TEXT NOT NULL, method TEXT NOT NULL,
    amount BIGINT NOT NULL, currency TEXT NOT NULL, state TEXT NOT NULL, idempotency_key TEXT NOT NULL,
    reference TEXT NOT NULL, instructions JSONB, refunds TEXT, asked BIGINT DEFAULT '0' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL, changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_payment PRIMARY KEY (id),
    CONSTRAINT uq_payment_enterprise_id_idempotency_key UNIQUE (enterprise_id, idempotency_key),
    CONSTRAINT ck_payment_kind_known CHECK (kind IN ('payment', 'refund')),
    CONSTRAINT ck_payment_state_known CHECK (state IN ('Started', 'Pending', 'Done', 'Failed', 'Cancelled')),
    CONSTRAINT ck_payment_amount_positive CHECK (amount > 0),
    CONSTRAINT fk_payment_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_payment_order_id FOREIGN KEY(order_id) REFERENCES customer_order (id),
    CONSTRAINT fk_payment_refunds FOREIGN KEY(refunds) REFERENCES payment (id)
);

CREATE INDEX ix_payment_order_id ON payment (order_id);

CREATE TABLE payment_reminder (
    id TEXT NOT NULL, order_id TEXT NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, person_id TEXT NOT NULL,
    CONSTRAINT pk_payment_reminder PRIMARY KEY (id),
    CONSTRAINT fk_payment_reminder_order_id FOREIGN KEY(order_id) REFERENCES customer_order (id)
);

CREATE INDEX ix_payment_reminder_order_id ON payment_reminder (order_id);

CREATE TABLE payment_problem (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, plugin TEXT NOT NULL, code TEXT NOT NULL, payment_id TEXT NOT NULL,
    order_id TEXT, amount BIGINT NOT NULL, currency TEXT NOT NULL, reference TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL, settled_at TIMESTAMP WITH TIME ZONE, settled_by TEXT,
    CONSTRAINT pk_payment_problem PRIMARY KEY (id),
    CONSTRAINT uq_payment_problem_said UNIQUE (enterprise_id, code, payment_id, amount, currency, reference),
    CONSTRAINT fk_payment_problem_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_payment_problem_order_id FOREIGN KEY(order_id) REFERENCES customer_order (id)
);

CREATE INDEX ix_payment_problem_open ON payment_problem (enterprise_id, settled_at);

CREATE TABLE item_shown_to (
    item_id TEXT NOT NULL, category_id TEXT NOT NULL, CONSTRAINT pk_item_shown_to PRIMARY KEY (item_id, category_id),
    CONSTRAINT fk_item_shown_to_item_id FOREIGN KEY(item_id) REFERENCES catalog_item (id),
    CONSTRAINT fk_item_shown_to_category_id FOREIGN KEY(category_id) REFERENCES customer_category (id)
);

CREATE INDEX ix_item_shown_to_category_id ON item_shown_to (category_id);

CREATE TABLE offer (
    id TEXT NOT NULL, item_id TEXT NOT NULL, category_id TEXT, price BIGINT NOT NULL, version BIGINT NOT NULL,
    CONSTRAINT pk_offer PRIMARY KEY (id), CONSTRAINT ck_offer_price_not_negative CHECK (price >= 0),
    CONSTRAINT fk_offer_item_id FOREIGN KEY(item_id) REFERENCES catalog_item (id),
    CONSTRAINT fk_offer_category_id FOREIGN KEY(category_id) REFERENCES customer_category (id)
);

CREATE INDEX ix_offer_category_id ON offer (category_id);

CREATE UNIQUE INDEX uq_offer_item_category ON offer (item_id, category_id);

CREATE UNIQUE INDEX uq_offer_item ON offer (item_id) WHERE category_id IS NULL;

CREATE TABLE purchase_terms (
    id TEXT NOT NULL, item_id TEXT NOT NULL, price BIGINT, margin BIGINT, set_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_purchase_terms PRIMARY KEY (id),
    CONSTRAINT ck_purchase_terms_price_or_margin CHECK (price IS NULL OR margin IS NULL),
    CONSTRAINT ck_purchase_terms_price_not_negative CHECK (price >= 0),
    CONSTRAINT ck_purchase_terms_margin_in_percent CHECK (margin BETWEEN 0 AND 10000),
    CONSTRAINT fk_purchase_terms_item_id_catalog_item FOREIGN KEY(item_id) REFERENCES catalog_item (id)
);

CREATE INDEX ix_purchase_terms_item ON purchase_terms (item_id, id);

CREATE TABLE session_item (
    session_id TEXT NOT NULL, item_id TEXT NOT NULL, CONSTRAINT pk_session_item PRIMARY KEY (session_id, item_id),
    CONSTRAINT fk_session_item_session_id FOREIGN KEY(session_id) REFERENCES sale_session (id),
    CONSTRAINT fk_session_item_item_id FOREIGN KEY(item_id) REFERENCES catalog_item (id)
);

CREATE INDEX ix_session_item_item_id ON session_item (item_id);

CREATE TABLE late_mail (
    order_id TEXT NOT NULL, due_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_late_mail PRIMARY KEY (order_id),
    CONSTRAINT fk_late_mail_order_id_customer_order FOREIGN KEY(order_id) REFERENCES customer_order (id)
);

CREATE TABLE late_supplier_mail (
    purchase_order_id TEXT NOT NULL, "to" TEXT NOT NULL, due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_late_supplier_mail PRIMARY KEY (purchase_order_id, "to"),
    CONSTRAINT fk_late_supplier_mail_purchase_order_id FOREIGN KEY(purchase_order_id) REFERENCES purchase_order (id)
);

CREATE TABLE sent_mail (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, order_id TEXT, purchase_order_id TEXT, kind TEXT NOT NULL,
    "to" TEXT NOT NULL, state TEXT NOT NULL, error TEXT NOT NULL, attempts BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_sent_mail PRIMARY KEY (id),
    CONSTRAINT ck_sent_mail_state_known CHECK (state IN ('sent', 'failed')),
    CONSTRAINT fk_sent_mail_enterprise_id_enterprise FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_sent_mail_order_id_customer_order FOREIGN KEY(order_id) REFERENCES customer_order (id),
    CONSTRAINT fk_sent_mail_purchase_order_id_purchase_order FOREIGN KEY(purchase_order_id) REFERENCES purchase_order (id)
);

CREATE INDEX ix_sent_mail_at ON sent_mail (at);

CREATE INDEX ix_sent_mail_purchase_order_id ON sent_mail (purchase_order_id);

CREATE INDEX ix_sent_mail_order_id ON sent_mail (order_id);

CREATE TABLE purchase_order_line (
    id TEXT NOT NULL, order_id TEXT NOT NULL, product_id TEXT NOT NULL, name TEXT NOT NULL, unit_quantity TEXT NOT NULL,
    unit TEXT NOT NULL, price BIGINT NOT NULL, vat_rate TEXT NOT NULL, quantity BIGINT NOT NULL,
    counted BIGINT NOT NULL, confirmed BIGINT, reason TEXT NOT NULL, CONSTRAINT pk_purchase_order_line PRIMARY KEY (id),
    CONSTRAINT uq_purchase_order_line_key UNIQUE (order_id, product_id, unit_quantity, unit, price, vat_rate),
    CONSTRAINT ck_purchase_order_line_quantity_not_negative CHECK (quantity >= 0),
    CONSTRAINT ck_purchase_order_line_confirmed_in_quantity CHECK (confirmed >= 0 AND confirmed <= quantity),
    CONSTRAINT fk_purchase_order_line_order_id_purchase_order FOREIGN KEY(order_id) REFERENCES purchase_order (id),
    CONSTRAINT fk_purchase_order_line_product_id_supplied_product FOREIGN KEY(product_id) REFERENCES supplied_product (id)
);

CREATE TABLE retained_identity (
    order_id TEXT NOT NULL, enterprise_id TEXT NOT NULL, name TEXT NOT NULL, email TEXT NOT NULL, address JSONB,
    forgotten_at TIMESTAMP WITH TIME ZONE NOT NULL, keep_until TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_retained_identity PRIMARY KEY (order_id),
    CONSTRAINT fk_retained_identity_order_id FOREIGN KEY(order_id) REFERENCES customer_order (id),
    CONSTRAINT fk_retained_identity_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE INDEX ix_retained_identity_keep_until ON retained_identity (keep_until);

CREATE INDEX ix_retained_identity_enterprise ON retained_identity (enterprise_id);

CREATE TABLE adjustment (
    id TEXT NOT NULL, order_id TEXT NOT NULL, position BIGINT NOT NULL, line_id TEXT, phase TEXT NOT NULL,
    kind TEXT NOT NULL, label TEXT NOT NULL, amount BIGINT NOT NULL, vat_rate TEXT, payer TEXT NOT NULL,
    payee TEXT NOT NULL, code TEXT DEFAULT '' NOT NULL, plugin TEXT NOT NULL, CONSTRAINT pk_adjustment PRIMARY KEY (id),
    CONSTRAINT fk_adjustment_order_id FOREIGN KEY(order_id) REFERENCES customer_order (id),
    CONSTRAINT fk_adjustment_line_id FOREIGN KEY(line_id) REFERENCES order_line (id)
);

CREATE INDEX ix_adjustment_order ON adjustment (order_id, position);

CREATE INDEX ix_adjustment_line_id ON adjustment (line_id) WHERE line_id IS NOT NULL;

CREATE TABLE payment_journal (
    enterprise_id TEXT NOT NULL, sequence BIGINT NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, kind TEXT NOT NULL,
    payment_id TEXT NOT NULL, order_id TEXT NOT NULL, order_number BIGINT NOT NULL, method TEXT NOT NULL,
    amount BIGINT NOT NULL, currency TEXT NOT NULL, person_id TEXT, corrects BIGINT, previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL, CONSTRAINT pk_payment_journal PRIMARY KEY (enterprise_id, sequence),
    CONSTRAINT ck_payment_journal_kind_known CHECK (kind IN ('payment', 'refund', 'correction')),
    CONSTRAINT uq_payment_journal_enterprise_id_previous_hash UNIQUE (enterprise_id, previous_hash),
    CONSTRAINT uq_payment_journal_enterprise_id_corrects UNIQUE (enterprise_id, corrects),
    CONSTRAINT fk_payment_journal_enterprise_id FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_payment_journal_payment_id FOREIGN KEY(payment_id) REFERENCES payment (id),
    CONSTRAINT fk_payment_journal_order_id FOREIGN KEY(order_id) REFERENCES customer_order (id)
);

CREATE INDEX ix_payment_journal_order ON payment_journal (order_id);

CREATE TRIGGER payment_journal_only_grows BEFORE UPDATE OR DELETE ON payment_journal FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER payment_journal_not_emptied BEFORE TRUNCATE ON payment_journal FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE stock_purchase (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, supplier_id TEXT NOT NULL, session_id TEXT NOT NULL,
    purchase_order_id TEXT NOT NULL, purchase_line_id TEXT NOT NULL, product_id TEXT NOT NULL,
    own_product_id TEXT NOT NULL, name TEXT NOT NULL, unit_quantity TEXT NOT NULL, unit TEXT NOT NULL,
    vat_rate TEXT NOT NULL, price BIGINT NOT NULL, deposit BIGINT NOT NULL, currency TEXT NOT NULL,
    prices_include_vat BOOLEAN NOT NULL, pieces BIGINT NOT NULL, grains BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL, person_id TEXT, CONSTRAINT pk_stock_purchase PRIMARY KEY (id),
    CONSTRAINT ck_stock_purchase_some_pieces CHECK (pieces <> 0),
    CONSTRAINT fk_stock_purchase_enterprise_id_enterprise FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_stock_purchase_supplier_id_enterprise FOREIGN KEY(supplier_id) REFERENCES enterprise (id),
    CONSTRAINT fk_stock_purchase_session_id_sale_session FOREIGN KEY(session_id) REFERENCES sale_session (id),
    CONSTRAINT fk_stock_purchase_purchase_order_id_purchase_order FOREIGN KEY(purchase_order_id) REFERENCES purchase_order (id),
    CONSTRAINT fk_stock_purchase_purchase_line_id_purchase_order_line FOREIGN KEY(purchase_line_id) REFERENCES purchase_order_line (id),
    CONSTRAINT fk_stock_purchase_product_id_supplied_product FOREIGN KEY(product_id) REFERENCES supplied_product (id),
    CONSTRAINT fk_stock_purchase_own_product_id_supplied_product FOREIGN KEY(own_product_id) REFERENCES supplied_product (id)
);

CREATE INDEX ix_stock_purchase_session_id ON stock_purchase (session_id);

CREATE INDEX ix_stock_purchase_product ON stock_purchase (enterprise_id, product_id, id);

CREATE INDEX ix_stock_purchase_purchase_order_id ON stock_purchase (purchase_order_id);

CREATE TRIGGER stock_purchase_only_grows BEFORE UPDATE OR DELETE ON stock_purchase FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER stock_purchase_not_emptied BEFORE TRUNCATE ON stock_purchase FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
