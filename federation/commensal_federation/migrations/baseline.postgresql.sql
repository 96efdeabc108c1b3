CREATE TABLE federation_authority (
    iri TEXT NOT NULL, epoch BIGINT NOT NULL, moved_to TEXT NOT NULL, came_from TEXT NOT NULL,
    recovery_key TEXT NOT NULL, changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_federation_authority PRIMARY KEY (iri)
);

CREATE TABLE federation_move (
    id TEXT NOT NULL, role TEXT NOT NULL, state TEXT NOT NULL, peer_id TEXT NOT NULL, name TEXT NOT NULL,
    old_iri TEXT NOT NULL, new_iri TEXT NOT NULL, epoch BIGINT NOT NULL, enterprise_id TEXT, owner_id TEXT,
    said JSONB NOT NULL, until TIMESTAMP WITH TIME ZONE, error TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL, created_by TEXT, changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_federation_move PRIMARY KEY (id),
    CONSTRAINT ck_federation_move_role_known CHECK (role IN ('leaving', 'coming', 'following')),
    CONSTRAINT ck_federation_move_state_known CHECK (state IN ('offered', 'named', 'accepted', 'frozen', 'ready', 'moved', 'done', 'cancelled', 'refused', 'heard', 'waiting', 'quarantined', 'contested', 'followed'))
);

CREATE INDEX ix_federation_move_enterprise ON federation_move (enterprise_id, role);

CREATE INDEX ix_federation_move_old_iri ON federation_move (old_iri);

CREATE TABLE federation_move_part (
    move_id TEXT NOT NULL, part BIGINT NOT NULL, parts BIGINT NOT NULL, rows JSONB NOT NULL,
    CONSTRAINT pk_federation_move_part PRIMARY KEY (move_id, part)
);

CREATE TABLE federation_peer (
    id TEXT NOT NULL, iri TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, document TEXT NOT NULL,
    scopes_given JSONB NOT NULL, scopes_received JSONB NOT NULL, limits JSONB NOT NULL, nonce TEXT NOT NULL,
    request TEXT NOT NULL, requested_at TIMESTAMP WITH TIME ZONE, network TEXT DEFAULT '' NOT NULL,
    epoch_seen BIGINT NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL, accepted_at TIMESTAMP WITH TIME ZONE,
    suspended_at TIMESTAMP WITH TIME ZONE, revoked_at TIMESTAMP WITH TIME ZONE, last_seen_at TIMESTAMP WITH TIME ZONE,
    document_at TIMESTAMP WITH TIME ZONE NOT NULL, looked_at TIMESTAMP WITH TIME ZONE NOT NULL, keys_told TEXT NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE, recovering BOOLEAN NOT NULL, barrier BOOLEAN DEFAULT false NOT NULL,
    breaker TEXT NOT NULL, failures BIGINT NOT NULL, failing_since TIMESTAMP WITH TIME ZONE,
    held_until TIMESTAMP WITH TIME ZONE, ask_after TIMESTAMP WITH TIME ZONE, refusing BOOLEAN DEFAULT false NOT NULL,
    version BIGINT NOT NULL, CONSTRAINT pk_federation_peer PRIMARY KEY (id),
    CONSTRAINT ck_federation_peer_state_known CHECK (state IN ('invited', 'requested', 'accepted', 'suspended', 'revoked')),
    CONSTRAINT ck_federation_peer_breaker_known CHECK (breaker IN ('closed', 'open')),
    CONSTRAINT uq_federation_peer_iri UNIQUE (iri)
);

CREATE TABLE federation_nonce (
    key_id TEXT NOT NULL, nonce TEXT NOT NULL, expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_federation_nonce PRIMARY KEY (key_id, nonce)
);

CREATE INDEX ix_federation_nonce_expires ON federation_nonce (expires_at);

CREATE TABLE federation_epoch (
    epoch BIGSERIAL NOT NULL, began_at TIMESTAMP WITH TIME ZONE NOT NULL, reason TEXT NOT NULL,
    CONSTRAINT pk_federation_epoch PRIMARY KEY (epoch), CONSTRAINT uq_federation_epoch_reason UNIQUE (reason)
);

CREATE TABLE federation_key (
    name TEXT NOT NULL, kind TEXT NOT NULL, multikey TEXT NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_from TIMESTAMP WITH TIME ZONE, ends_at TIMESTAMP WITH TIME ZONE, revoked_at TIMESTAMP WITH TIME ZONE,
    reason TEXT NOT NULL, CONSTRAINT pk_federation_key PRIMARY KEY (name),
    CONSTRAINT ck_federation_key_kind_known CHECK (kind IN ('root', 'signing')),
    CONSTRAINT ck_federation_key_revoked_for_a_reason CHECK ((revoked_at IS NULL AND reason = '') OR (revoked_at IS NOT NULL AND reason IN ('stolen', 'lost', 'replaced'))),
    CONSTRAINT uq_federation_key_multikey UNIQUE (multikey)
);

CREATE TABLE federation_key_set (
    version BIGSERIAL NOT NULL, document TEXT NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_federation_key_set PRIMARY KEY (version)
);

CREATE TRIGGER federation_key_set_only_grows BEFORE UPDATE OR DELETE ON federation_key_set FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER federation_key_set_not_emptied BEFORE TRUNCATE ON federation_key_set FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE federation_notice (
    enterprise_id TEXT NOT NULL, kind TEXT NOT NULL, peer_id TEXT NOT NULL, subject_id TEXT NOT NULL,
    details JSONB NOT NULL, waiting BOOLEAN NOT NULL, due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    mailed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_federation_notice PRIMARY KEY (enterprise_id, kind, peer_id, subject_id)
);

CREATE INDEX ix_federation_notice_due ON federation_notice (waiting, due_at);

CREATE TABLE federation_grant (
    id TEXT NOT NULL, direction TEXT NOT NULL, peer_id TEXT NOT NULL, enterprise_id TEXT NOT NULL,
    other_iri TEXT NOT NULL, other_name TEXT NOT NULL, category_id TEXT, resell BOOLEAN NOT NULL, lot_share BIGINT,
    ends_at TIMESTAMP WITH TIME ZONE, margin TEXT, catalog_id TEXT, state TEXT NOT NULL,
    reason TEXT DEFAULT '' NOT NULL, offer_id TEXT, hidden JSONB, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_by TEXT, changed_at TIMESTAMP WITH TIME ZONE NOT NULL, version BIGINT NOT NULL,
    CONSTRAINT pk_federation_grant PRIMARY KEY (id),
    CONSTRAINT uq_federation_grant_direction_enterprise_id_other_iri UNIQUE (direction, enterprise_id, other_iri),
    CONSTRAINT ck_federation_grant_direction_known CHECK (direction IN ('given', 'received')),
    CONSTRAINT ck_federation_grant_state_known CHECK (state IN ('offered', 'accepted', 'refused', 'revoked'))
);

CREATE INDEX ix_federation_grant_peer ON federation_grant (peer_id, direction);

CREATE TABLE federation_mirror (
    iri TEXT NOT NULL, peer_id TEXT NOT NULL, enterprise_id TEXT NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_federation_mirror PRIMARY KEY (iri),
    CONSTRAINT uq_federation_mirror_enterprise_id UNIQUE (enterprise_id)
);

CREATE INDEX ix_federation_mirror_peer_id ON federation_mirror (peer_id);

CREATE TABLE federation_told (
    grant_id TEXT NOT NULL, item_id TEXT NOT NULL, rev BIGINT NOT NULL, digest TEXT NOT NULL, lot_id TEXT NOT NULL,
    CONSTRAINT pk_federation_told PRIMARY KEY (grant_id, item_id)
);

CREATE INDEX ix_federation_told_lot ON federation_told (lot_id);

CREATE TABLE federation_lease (
    id TEXT NOT NULL, role TEXT NOT NULL, peer_id TEXT NOT NULL, enterprise_id TEXT NOT NULL, lot_id TEXT NOT NULL,
    lot_iri TEXT NOT NULL, epoch BIGINT NOT NULL, granted BIGINT NOT NULL, report BIGINT NOT NULL, seen BIGINT NOT NULL,
    returned BIGINT NOT NULL, held BIGINT NOT NULL, sold BIGINT NOT NULL, late BIGINT NOT NULL,
    lost BIGINT DEFAULT '0' NOT NULL, sold_before BIGINT NOT NULL, ordered BIGINT DEFAULT '0' NOT NULL,
    wanted BIGINT NOT NULL, wanted_at TIMESTAMP WITH TIME ZONE, recalled BIGINT DEFAULT '0' NOT NULL,
    recalled_at TIMESTAMP WITH TIME ZONE, asked_until TIMESTAMP WITH TIME ZONE, refused_until TIMESTAMP WITH TIME ZONE,
    until TIMESTAMP WITH TIME ZONE, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_federation_lease PRIMARY KEY (id),
    CONSTRAINT uq_federation_lease_role_peer_id_lot_id UNIQUE (role, peer_id, lot_id),
    CONSTRAINT ck_federation_lease_role_known CHECK (role IN ('lender', 'holder')),
    CONSTRAINT ck_federation_lease_granted_not_negative CHECK (granted >= 0),
    CONSTRAINT ck_federation_lease_seen_not_negative CHECK (seen >= 0),
    CONSTRAINT ck_federation_lease_returned_not_negative CHECK (returned >= 0),
    CONSTRAINT ck_federation_lease_held_not_negative CHECK (held >= 0),
    CONSTRAINT ck_federation_lease_sold_not_negative CHECK (sold >= 0),
    CONSTRAINT ck_federation_lease_late_not_negative CHECK (late >= 0),
    CONSTRAINT ck_federation_lease_wanted_not_negative CHECK (wanted >= 0)
);

CREATE INDEX ix_federation_lease_lot ON federation_lease (lot_id);

CREATE INDEX ix_federation_lease_wanted ON federation_lease (lot_id, wanted_at);

CREATE TABLE federation_joined_lot (
    lot_id TEXT NOT NULL, main_id TEXT NOT NULL, CONSTRAINT pk_federation_joined_lot PRIMARY KEY (lot_id)
);

CREATE INDEX ix_federation_joined_lot_main_id ON federation_joined_lot (main_id);

CREATE TABLE federation_statement (
    name TEXT NOT NULL, text TEXT NOT NULL, actor TEXT NOT NULL, key_version BIGINT NOT NULL, origin TEXT NOT NULL,
    item_iri TEXT NOT NULL, rev BIGINT NOT NULL, verified_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_federation_statement PRIMARY KEY (name)
);

CREATE INDEX ix_federation_statement_verified ON federation_statement (verified_at);

CREATE INDEX ix_federation_statement_origin ON federation_statement (origin);

CREATE TABLE federation_signer (
    iri TEXT NOT NULL, version BIGINT NOT NULL, document TEXT NOT NULL, bound TEXT NOT NULL,
    verified_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_federation_signer PRIMARY KEY (iri, version)
);

CREATE TABLE federation_origin (
    iri TEXT NOT NULL, peer_id TEXT NOT NULL, document TEXT NOT NULL, document_at TIMESTAMP WITH TIME ZONE,
    doubt TEXT NOT NULL, waiting JSONB NOT NULL, failures BIGINT NOT NULL, asked_at TIMESTAMP WITH TIME ZONE,
    silent_since TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_federation_origin PRIMARY KEY (iri)
);

CREATE INDEX ix_federation_origin_peer_id ON federation_origin (peer_id);

CREATE TABLE federation_copy (
    iri TEXT NOT NULL, peer_id TEXT NOT NULL, kind TEXT NOT NULL, local_id TEXT NOT NULL,
    image TEXT DEFAULT '' NOT NULL, CONSTRAINT pk_federation_copy PRIMARY KEY (iri),
    CONSTRAINT ck_federation_copy_kind_known CHECK (kind IN ('product', 'lot')),
    CONSTRAINT uq_federation_copy_local_id UNIQUE (local_id)
);

CREATE INDEX ix_federation_copy_peer_id ON federation_copy (peer_id);

CREATE TABLE federation_item (
    grant_id TEXT NOT NULL, iri TEXT NOT NULL, product_id TEXT NOT NULL, lot_id TEXT NOT NULL, offer_iri TEXT NOT NULL,
    price BIGINT NOT NULL, currency TEXT NOT NULL, includes_vat BOOLEAN NOT NULL, provenance JSONB NOT NULL,
    rev BIGINT NOT NULL, digest TEXT NOT NULL, statement TEXT DEFAULT '' NOT NULL, gone_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_federation_item PRIMARY KEY (grant_id, iri)
);

CREATE INDEX ix_federation_item_statement ON federation_item (statement);

CREATE INDEX ix_federation_item_product_id ON federation_item (product_id);

CREATE INDEX ix_federation_item_lot_id ON federation_item (lot_id);

CREATE TABLE federation_told_price (
    grant_id TEXT NOT NULL, item_id TEXT NOT NULL, rev BIGINT NOT NULL, price BIGINT NOT NULL,
    statement TEXT DEFAULT '' NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_federation_told_price PRIMARY KEY (grant_id, item_id, rev)
);

CREATE INDEX ix_federation_told_price_statement ON federation_told_price (statement);

CREATE TABLE federation_absences (
    grant_id TEXT NOT NULL, rev BIGINT NOT NULL, periods JSONB NOT NULL,
    CONSTRAINT pk_federation_absences PRIMARY KEY (grant_id)
);

CREATE TABLE federation_order (
    id TEXT NOT NULL, iri TEXT NOT NULL, role TEXT NOT NULL, peer_id TEXT NOT NULL, enterprise_id TEXT NOT NULL,
    other_iri TEXT NOT NULL, other_name TEXT NOT NULL, session_id TEXT NOT NULL, session_iri TEXT NOT NULL,
    session_name TEXT NOT NULL, closes_at TIMESTAMP WITH TIME ZONE, begins_at TIMESTAMP WITH TIME ZONE,
    currency TEXT NOT NULL, includes_vat BOOLEAN NOT NULL, state TEXT NOT NULL, rev BIGINT NOT NULL,
    answer BIGINT NOT NULL, names BIGINT DEFAULT '0' NOT NULL, names_digest TEXT DEFAULT '' NOT NULL, owed BIGINT,
    receipt TEXT DEFAULT '' NOT NULL, objection TEXT DEFAULT '' NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_federation_order PRIMARY KEY (id),
    CONSTRAINT uq_federation_order_role_enterprise_id_other_iri_session_iri UNIQUE (role, enterprise_id, other_iri, session_iri),
    CONSTRAINT ck_federation_order_role_known CHECK (role IN ('buyer', 'supplier')),
    CONSTRAINT ck_federation_order_state_known CHECK (state IN ('Held', 'Complete', 'Cancelled')),
    CONSTRAINT uq_federation_order_iri UNIQUE (iri)
);

CREATE INDEX ix_federation_order_enterprise_id ON federation_order (enterprise_id);

CREATE INDEX ix_federation_order_peer ON federation_order (peer_id, state);

CREATE TABLE federation_order_line (
    order_id TEXT NOT NULL, item_iri TEXT NOT NULL, product_id TEXT NOT NULL, name TEXT NOT NULL,
    offer_iri TEXT NOT NULL, rev BIGINT NOT NULL, price BIGINT NOT NULL, vat_rate TEXT NOT NULL,
    quantity BIGINT NOT NULL, answer TEXT NOT NULL, confirmed BIGINT, reason TEXT NOT NULL, final_quantity TEXT,
    unit_quantity TEXT NOT NULL, unit TEXT NOT NULL, doubt TEXT DEFAULT '' NOT NULL, statement TEXT DEFAULT '' NOT NULL,
    received BIGINT, received_quantity TEXT, received_amount BIGINT,
    CONSTRAINT pk_federation_order_line PRIMARY KEY (order_id, item_iri),
    CONSTRAINT ck_federation_order_line_quantity_not_negative CHECK (quantity >= 0),
    CONSTRAINT ck_federation_order_line_answer_known CHECK (answer IN ('', 'confirmed', 'shortened', 'refused'))
);

CREATE INDEX ix_federation_order_line_statement ON federation_order_line (statement);

CREATE TABLE federation_moved_order (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, iri TEXT NOT NULL, items JSONB NOT NULL, messages JSONB NOT NULL,
    CONSTRAINT pk_federation_moved_order PRIMARY KEY (id)
);

CREATE INDEX ix_federation_moved_order_enterprise_id ON federation_moved_order (enterprise_id);

CREATE TABLE federation_cut (
    id TEXT NOT NULL, enterprise_id TEXT DEFAULT '' NOT NULL, order_id TEXT NOT NULL, item_iri TEXT NOT NULL,
    customer_order_id TEXT, pieces BIGINT NOT NULL, owed BIGINT NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE, ordered BIGINT, CONSTRAINT pk_federation_cut PRIMARY KEY (id)
);

CREATE INDEX ix_federation_cut_order ON federation_cut (order_id, item_iri);

CREATE TABLE federation_order_due (
    kind TEXT NOT NULL, id TEXT NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_federation_order_due PRIMARY KEY (kind, id),
    CONSTRAINT ck_federation_order_due_kind_known CHECK (kind IN ('session', 'order'))
);

CREATE TABLE federation_pairing (
    id TEXT NOT NULL, role TEXT NOT NULL, invitation TEXT NOT NULL, secret TEXT NOT NULL, note TEXT NOT NULL,
    state TEXT NOT NULL, reason TEXT NOT NULL, iri TEXT NOT NULL, document TEXT NOT NULL,
    document_at TIMESTAMP WITH TIME ZONE, commitment TEXT NOT NULL, our_nonce TEXT NOT NULL, their_nonce TEXT NOT NULL,
    their_answer TEXT NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL, expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_federation_pairing PRIMARY KEY (id),
    CONSTRAINT uq_federation_pairing_invitation_role UNIQUE (invitation, role),
    CONSTRAINT ck_federation_pairing_role_known CHECK (role IN ('inviter', 'joiner')),
    CONSTRAINT ck_federation_pairing_state_known CHECK (state IN ('made', 'opened', 'shown', 'agreed', 'ended'))
);

CREATE TABLE federation_backorder (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, link_id TEXT NOT NULL, session_id TEXT NOT NULL,
    session_name TEXT NOT NULL, opens_at TIMESTAMP WITH TIME ZONE NOT NULL, closes_at TIMESTAMP WITH TIME ZONE NOT NULL,
    begins_at TIMESTAMP WITH TIME ZONE NOT NULL, currency TEXT NOT NULL, iri TEXT NOT NULL, url TEXT NOT NULL,
    key TEXT NOT NULL, state TEXT NOT NULL, said_state TEXT NOT NULL, posting BOOLEAN NOT NULL, before JSONB NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE, claimed_until TIMESTAMP WITH TIME ZONE, failures BIGINT NOT NULL,
    failing_since TIMESTAMP WITH TIME ZONE, error TEXT NOT NULL, parked_at TIMESTAMP WITH TIME ZONE,
    answered_at TIMESTAMP WITH TIME ZONE, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_federation_backorder PRIMARY KEY (id),
    CONSTRAINT uq_federation_backorder_session_id_link_id UNIQUE (session_id, link_id),
    CONSTRAINT ck_federation_backorder_state_known CHECK (state IN ('Held', 'Complete', 'Cancelled')),
    CONSTRAINT ck_federation_backorder_said_state_known CHECK (said_state IN ('', 'Held', 'Complete', 'Cancelled'))
);

CREATE INDEX ix_federation_backorder_due ON federation_backorder (due_at);

CREATE INDEX ix_federation_backorder_enterprise_id ON federation_backorder (enterprise_id);

CREATE TABLE federation_link (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, url TEXT NOT NULL, name TEXT NOT NULL, dfc_version TEXT NOT NULL,
    auth TEXT NOT NULL, issuer TEXT NOT NULL, client_id TEXT NOT NULL, secret TEXT NOT NULL, catalog_id TEXT,
    margin TEXT, default_type TEXT NOT NULL, default_vat TEXT, state TEXT NOT NULL, etag TEXT NOT NULL,
    digest TEXT NOT NULL, refreshed_at TIMESTAMP WITH TIME ZONE, tried_at TIMESTAMP WITH TIME ZONE,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL, failures BIGINT NOT NULL, error TEXT NOT NULL, findings JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL, created_by TEXT, changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version BIGINT NOT NULL, CONSTRAINT pk_federation_link PRIMARY KEY (id),
    CONSTRAINT uq_federation_link_enterprise_id_url UNIQUE (enterprise_id, url),
    CONSTRAINT ck_federation_link_dfc_version_known CHECK (dfc_version IN ('1.16', '2.0')),
    CONSTRAINT ck_federation_link_auth_known CHECK (auth IN ('none', 'token', 'api_key', 'oidc')),
    CONSTRAINT ck_federation_link_state_known CHECK (state IN ('active', 'suspended', 'ended'))
);

CREATE INDEX ix_federation_link_due ON federation_link (state, due_at);

CREATE TABLE federation_sale (
    id TEXT NOT NULL, direction TEXT NOT NULL, iri TEXT NOT NULL, peer_id TEXT NOT NULL, enterprise_id TEXT NOT NULL,
    other_iri TEXT NOT NULL, other_name TEXT NOT NULL, name TEXT NOT NULL, opens_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closes_at TIMESTAMP WITH TIME ZONE NOT NULL, begins_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL, coordination_id TEXT, state TEXT NOT NULL, rev BIGINT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_federation_sale PRIMARY KEY (id),
    CONSTRAINT uq_federation_sale_direction_enterprise_id_other_iri_iri UNIQUE (direction, enterprise_id, other_iri, iri),
    CONSTRAINT ck_federation_sale_direction_known CHECK (direction IN ('proposed', 'received')),
    CONSTRAINT ck_federation_sale_state_known CHECK (state IN ('offered', 'accepted', 'refused', 'withdrawn'))
);

CREATE INDEX ix_federation_sale_peer ON federation_sale (peer_id);

CREATE INDEX ix_federation_sale_enterprise_id ON federation_sale (enterprise_id);

CREATE TABLE federation_lane (
    peer_id TEXT NOT NULL, lane TEXT NOT NULL, direction TEXT NOT NULL, epoch BIGINT NOT NULL, seq BIGINT NOT NULL,
    top BIGINT NOT NULL, hash TEXT NOT NULL, swept BIGINT NOT NULL, parked BIGINT NOT NULL,
    size BIGINT DEFAULT '0' NOT NULL, promised BOOLEAN NOT NULL, worked_until TIMESTAMP WITH TIME ZONE,
    failures BIGINT NOT NULL, due_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_federation_lane PRIMARY KEY (peer_id, lane, direction),
    CONSTRAINT ck_federation_lane_lane_known CHECK (lane IN ('peering', 'catalogue', 'order')),
    CONSTRAINT ck_federation_lane_direction_known CHECK (direction IN ('out', 'in')),
    CONSTRAINT fk_federation_lane_peer_id FOREIGN KEY(peer_id) REFERENCES federation_peer (id)
);

CREATE TABLE federation_outbox (
    id TEXT NOT NULL, peer_id TEXT NOT NULL, lane TEXT NOT NULL, epoch BIGINT NOT NULL, seq BIGINT NOT NULL,
    type TEXT NOT NULL, body TEXT NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE, in_reply_to TEXT, state TEXT NOT NULL, attempts BIGINT NOT NULL,
    error TEXT NOT NULL, finished_at TIMESTAMP WITH TIME ZONE, recovered BOOLEAN NOT NULL,
    CONSTRAINT pk_federation_outbox PRIMARY KEY (id),
    CONSTRAINT uq_federation_outbox_peer_id_lane_epoch_seq UNIQUE (peer_id, lane, epoch, seq),
    CONSTRAINT ck_federation_outbox_state_known CHECK (state IN ('waiting', 'delivered', 'dead', 'discarded')),
    CONSTRAINT fk_federation_outbox_peer_id FOREIGN KEY(peer_id) REFERENCES federation_peer (id)
);

CREATE INDEX ix_federation_outbox_state ON federation_outbox (peer_id, lane, state, epoch, seq);

CREATE INDEX ix_federation_outbox_reply ON federation_outbox (in_reply_to);

CREATE TABLE federation_inbox (
    id TEXT NOT NULL, peer_id TEXT NOT NULL, lane TEXT NOT NULL, epoch BIGINT NOT NULL, seq BIGINT NOT NULL,
    type TEXT NOT NULL, digest TEXT NOT NULL, body TEXT NOT NULL, key_id TEXT NOT NULL, multikey TEXT NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL, state TEXT NOT NULL, attempts BIGINT NOT NULL, error TEXT NOT NULL,
    CONSTRAINT pk_federation_inbox PRIMARY KEY (id),
    CONSTRAINT uq_federation_inbox_peer_id_lane_epoch_seq UNIQUE (peer_id, lane, epoch, seq),
    CONSTRAINT ck_federation_inbox_state_known CHECK (state IN ('done', 'parked', 'dead', 'discarded')),
    CONSTRAINT fk_federation_inbox_peer_id FOREIGN KEY(peer_id) REFERENCES federation_peer (id)
);

CREATE INDEX ix_federation_inbox_state ON federation_inbox (state, peer_id, received_at);

CREATE TABLE federation_alert (
    peer_id TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL, count BIGINT NOT NULL,
    first_at TIMESTAMP WITH TIME ZONE NOT NULL, last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_federation_alert PRIMARY KEY (peer_id, kind),
    CONSTRAINT fk_federation_alert_peer_id FOREIGN KEY(peer_id) REFERENCES federation_peer (id)
);

CREATE TABLE federation_order_name (
    order_id TEXT NOT NULL, item_iri TEXT NOT NULL, place BIGINT NOT NULL, name TEXT NOT NULL, quantity BIGINT NOT NULL,
    CONSTRAINT pk_federation_order_name PRIMARY KEY (order_id, item_iri, place),
    CONSTRAINT fk_federation_order_name_order FOREIGN KEY(order_id) REFERENCES federation_order (id) ON DELETE CASCADE
);

CREATE TABLE federation_order_message (
    order_id TEXT NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL, key_version BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_federation_order_message PRIMARY KEY (order_id, type),
    CONSTRAINT ck_federation_order_message_type_known CHECK (type IN ('OrderUpdate', 'OrderAnswer')),
    CONSTRAINT fk_federation_order_message_order_id_federation_order FOREIGN KEY(order_id) REFERENCES federation_order (id) ON DELETE CASCADE
);

CREATE TABLE federation_moved_order_statement (
    order_id TEXT NOT NULL, statement TEXT NOT NULL,
    CONSTRAINT pk_federation_moved_order_statement PRIMARY KEY (order_id, statement),
    CONSTRAINT fk_federation_moved_order_statement_order_id_federation_d9de FOREIGN KEY(order_id) REFERENCES federation_moved_order (id) ON DELETE CASCADE
);

CREATE INDEX ix_federation_moved_order_statement_statement ON federation_moved_order_statement (statement);

CREATE TABLE federation_backorder_line (
    backorder_id TEXT NOT NULL, product_iri TEXT NOT NULL, product_id TEXT NOT NULL, name TEXT NOT NULL,
    ordered_iri TEXT NOT NULL, offer_iri TEXT NOT NULL, per_case BIGINT NOT NULL, cases_of BIGINT NOT NULL,
    price BIGINT, pieces BIGINT NOT NULL, said BIGINT, answer TEXT NOT NULL, confirmed BIGINT, reason TEXT NOT NULL,
    told_price BIGINT, line_iri TEXT NOT NULL,
    CONSTRAINT pk_federation_backorder_line PRIMARY KEY (backorder_id, product_iri),
    CONSTRAINT ck_federation_backorder_line_counts_possible CHECK (pieces >= 0 AND per_case > 0 AND cases_of > 0),
    CONSTRAINT ck_federation_backorder_line_answer_known CHECK (answer IN ('', 'confirmed', 'shortened', 'refused')),
    CONSTRAINT fk_federation_backorder_line_backorder_id_federation_backorder FOREIGN KEY(backorder_id) REFERENCES federation_backorder (id)
);

CREATE TABLE federation_linked_producer (
    enterprise_id TEXT NOT NULL, iri TEXT NOT NULL, producer_id TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_federation_linked_producer PRIMARY KEY (enterprise_id, iri),
    CONSTRAINT fk_federation_linked_producer_enterprise_id_enterprise FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT uq_federation_linked_producer_producer_id UNIQUE (producer_id),
    CONSTRAINT fk_federation_linked_producer_producer_id_enterprise FOREIGN KEY(producer_id) REFERENCES enterprise (id)
);

CREATE TABLE federation_linked_product (
    link_id TEXT NOT NULL, iri TEXT NOT NULL, item_iri TEXT NOT NULL, offer_iri TEXT NOT NULL, product_id TEXT NOT NULL,
    lot_id TEXT NOT NULL, price BIGINT NOT NULL, stock BIGINT, taken BIGINT NOT NULL, case_iri TEXT NOT NULL,
    case_offer_iri TEXT NOT NULL, case_pieces BIGINT NOT NULL, case_of BIGINT NOT NULL, case_price BIGINT,
    digest TEXT NOT NULL, changed_at TIMESTAMP WITH TIME ZONE NOT NULL, gone_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_federation_linked_product PRIMARY KEY (link_id, iri),
    CONSTRAINT fk_federation_linked_product_link_id_federation_link FOREIGN KEY(link_id) REFERENCES federation_link (id)
);

CREATE INDEX ix_federation_linked_product_product_id ON federation_linked_product (product_id);

CREATE INDEX ix_federation_linked_product_lot_id ON federation_linked_product (lot_id);

CREATE TABLE federation_platform_account (
    enterprise_id TEXT NOT NULL, id TEXT NOT NULL, issuer TEXT NOT NULL, client TEXT NOT NULL, account TEXT NOT NULL,
    name TEXT NOT NULL, named_at TIMESTAMP WITH TIME ZONE NOT NULL, named_by TEXT,
    CONSTRAINT pk_federation_platform_account PRIMARY KEY (enterprise_id, id),
    CONSTRAINT fk_federation_platform_account_enterprise_id_enterprise FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE INDEX ix_federation_platform_account_id ON federation_platform_account (id);

CREATE TABLE federation_platform_order (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, sender TEXT NOT NULL, key TEXT NOT NULL, said_hash TEXT NOT NULL,
    order_id TEXT, ordered_by TEXT NOT NULL, state TEXT NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_federation_platform_order PRIMARY KEY (id),
    CONSTRAINT uq_federation_platform_order_enterprise_id_sender_key UNIQUE (enterprise_id, sender, key),
    CONSTRAINT ck_federation_platform_order_state_known CHECK (state IN ('Held', 'Complete', 'Cancelled')),
    CONSTRAINT fk_federation_platform_order_enterprise_id_enterprise FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE INDEX ix_federation_platform_order_order_id ON federation_platform_order (order_id);

CREATE TABLE federation_platform_notice (
    platform_id TEXT NOT NULL, enterprise_id TEXT NOT NULL, scope TEXT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_federation_platform_notice PRIMARY KEY (platform_id, enterprise_id, scope),
    CONSTRAINT fk_federation_platform_notice_enterprise_id_enterprise FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
);

CREATE TABLE federation_platform (
    enterprise_id TEXT NOT NULL, platform_id TEXT NOT NULL, scopes JSONB NOT NULL, customer_id TEXT,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL, changed_by TEXT,
    CONSTRAINT pk_federation_platform PRIMARY KEY (enterprise_id, platform_id),
    CONSTRAINT fk_federation_platform_enterprise_id_enterprise FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_federation_platform_customer_id_customer FOREIGN KEY(customer_id) REFERENCES customer (id)
);

CREATE INDEX ix_federation_platform_platform_id ON federation_platform (platform_id);

CREATE TABLE federation_platform_line (
    id TEXT NOT NULL, order_id TEXT NOT NULL, item_id TEXT NOT NULL, offer_iri TEXT NOT NULL,
    product_iri TEXT DEFAULT '' NOT NULL, wanted BIGINT NOT NULL, reason TEXT NOT NULL,
    CONSTRAINT pk_federation_platform_line PRIMARY KEY (id),
    CONSTRAINT fk_federation_platform_line_order_id_federation_platform_order FOREIGN KEY(order_id) REFERENCES federation_platform_order (id)
);

CREATE INDEX ix_federation_platform_line_order_id ON federation_platform_line (order_id)
