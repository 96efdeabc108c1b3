CREATE TABLE federation_key (
    name TEXT NOT NULL, kind TEXT NOT NULL, multikey TEXT NOT NULL, created_at TEXT NOT NULL, used_from TEXT,
    ends_at TEXT, revoked_at TEXT, reason TEXT NOT NULL, CONSTRAINT pk_federation_key PRIMARY KEY (name),
    CONSTRAINT ck_federation_key_kind_known CHECK (kind IN ('root', 'signing')),
    CONSTRAINT ck_federation_key_revoked_for_a_reason CHECK ((revoked_at IS NULL AND reason = '') OR (revoked_at IS NOT NULL AND reason IN ('stolen', 'lost', 'replaced'))),
    CONSTRAINT uq_federation_key_multikey UNIQUE (multikey)
) STRICT;

CREATE TABLE federation_key_set (
    version INTEGER NOT NULL, document TEXT NOT NULL, created_at TEXT NOT NULL,
    CONSTRAINT pk_federation_key_set PRIMARY KEY (version)
) STRICT;

CREATE TRIGGER federation_key_set_no_update BEFORE UPDATE ON federation_key_set BEGIN SELECT RAISE(ABORT, 'federation_key_set only grows'); END;

CREATE TRIGGER federation_key_set_no_delete BEFORE DELETE ON federation_key_set BEGIN SELECT RAISE(ABORT, 'federation_key_set only grows'); END;

CREATE TABLE federation_peer (
    id TEXT NOT NULL, iri TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, document TEXT NOT NULL,
    scopes_given TEXT NOT NULL, scopes_received TEXT NOT NULL, limits TEXT NOT NULL, nonce TEXT NOT NULL,
    request TEXT NOT NULL, epoch_seen INTEGER NOT NULL, created_at TEXT NOT NULL, accepted_at TEXT, suspended_at TEXT,
    revoked_at TEXT, last_seen_at TEXT, document_at TEXT NOT NULL, looked_at TEXT NOT NULL, keys_told TEXT NOT NULL,
    asked_at TEXT, recovering INTEGER NOT NULL, breaker TEXT NOT NULL, failures INTEGER NOT NULL, failing_since TEXT,
    held_until TEXT, version INTEGER NOT NULL, barrier INTEGER DEFAULT 0 NOT NULL, ask_after TEXT,
    refusing INTEGER DEFAULT 0 NOT NULL, requested_at TEXT, network TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_federation_peer PRIMARY KEY (id),
    CONSTRAINT ck_federation_peer_state_known CHECK (state IN ('invited', 'requested', 'accepted', 'suspended', 'revoked')),
    CONSTRAINT ck_federation_peer_breaker_known CHECK (breaker IN ('closed', 'open')),
    CONSTRAINT uq_federation_peer_iri UNIQUE (iri)
) STRICT;

CREATE TABLE federation_nonce (
    key_id TEXT NOT NULL, nonce TEXT NOT NULL, expires_at TEXT NOT NULL,
    CONSTRAINT pk_federation_nonce PRIMARY KEY (key_id, nonce)
) STRICT;

CREATE INDEX ix_federation_nonce_expires ON federation_nonce (expires_at);

CREATE TABLE federation_lane (
    peer_id TEXT NOT NULL, lane TEXT NOT NULL, direction TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
    top INTEGER NOT NULL, hash TEXT NOT NULL, swept INTEGER NOT NULL, parked INTEGER NOT NULL,
    promised INTEGER NOT NULL, worked_until TEXT, failures INTEGER NOT NULL, due_at TEXT,
    size INTEGER DEFAULT '0' NOT NULL, CONSTRAINT pk_federation_lane PRIMARY KEY (peer_id, lane, direction),
    CONSTRAINT ck_federation_lane_direction_known CHECK (direction IN ('out', 'in')),
    CONSTRAINT ck_federation_lane_lane_known CHECK (lane IN ('peering', 'catalogue', 'order')),
    CONSTRAINT fk_federation_lane_peer_id FOREIGN KEY(peer_id) REFERENCES federation_peer (id)
) STRICT;

CREATE TABLE federation_outbox (
    id TEXT NOT NULL, peer_id TEXT NOT NULL, lane TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
    type TEXT NOT NULL, body TEXT NOT NULL, created_at TEXT NOT NULL, expires_at TEXT, in_reply_to TEXT,
    state TEXT NOT NULL, attempts INTEGER NOT NULL, error TEXT NOT NULL, finished_at TEXT, recovered INTEGER NOT NULL,
    CONSTRAINT pk_federation_outbox PRIMARY KEY (id),
    CONSTRAINT ck_federation_outbox_state_known CHECK (state IN ('waiting', 'delivered', 'dead', 'discarded')),
    CONSTRAINT fk_federation_outbox_peer_id FOREIGN KEY(peer_id) REFERENCES federation_peer (id),
    CONSTRAINT uq_federation_outbox_peer_id_lane_epoch_seq UNIQUE (peer_id, lane, epoch, seq)
) STRICT;

CREATE INDEX ix_federation_outbox_reply ON federation_outbox (in_reply_to);

CREATE INDEX ix_federation_outbox_state ON federation_outbox (peer_id, lane, state, epoch, seq);

CREATE TABLE federation_inbox (
    id TEXT NOT NULL, peer_id TEXT NOT NULL, lane TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
    type TEXT NOT NULL, digest TEXT NOT NULL, body TEXT NOT NULL, key_id TEXT NOT NULL, multikey TEXT NOT NULL,
    received_at TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, error TEXT NOT NULL,
    CONSTRAINT pk_federation_inbox PRIMARY KEY (id),
    CONSTRAINT ck_federation_inbox_state_known CHECK (state IN ('done', 'parked', 'dead', 'discarded')),
    CONSTRAINT fk_federation_inbox_peer_id FOREIGN KEY(peer_id) REFERENCES federation_peer (id),
    CONSTRAINT uq_federation_inbox_peer_id_lane_epoch_seq UNIQUE (peer_id, lane, epoch, seq)
) STRICT;

CREATE INDEX ix_federation_inbox_state ON federation_inbox (state, peer_id, received_at);

CREATE TABLE federation_alert (
    peer_id TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL, count INTEGER NOT NULL, first_at TEXT NOT NULL,
    last_at TEXT NOT NULL, CONSTRAINT pk_federation_alert PRIMARY KEY (peer_id, kind),
    CONSTRAINT fk_federation_alert_peer_id FOREIGN KEY(peer_id) REFERENCES federation_peer (id)
) STRICT;

CREATE TABLE federation_epoch (
    epoch INTEGER NOT NULL, began_at TEXT NOT NULL, reason TEXT NOT NULL,
    CONSTRAINT pk_federation_epoch PRIMARY KEY (epoch), CONSTRAINT uq_federation_epoch_reason UNIQUE (reason)
) STRICT;

CREATE TABLE federation_grant (
    id TEXT NOT NULL, direction TEXT NOT NULL, peer_id TEXT NOT NULL, enterprise_id TEXT NOT NULL,
    other_iri TEXT NOT NULL, other_name TEXT NOT NULL, category_id TEXT, resell INTEGER NOT NULL, margin TEXT,
    catalog_id TEXT, state TEXT NOT NULL, created_at TEXT NOT NULL, created_by TEXT, changed_at TEXT NOT NULL,
    version INTEGER NOT NULL, hidden TEXT, reason TEXT DEFAULT '' NOT NULL, lot_share INTEGER, ends_at TEXT,
    offer_id TEXT, CONSTRAINT pk_federation_grant PRIMARY KEY (id),
    CONSTRAINT ck_federation_grant_direction_known CHECK (direction IN ('given', 'received')),
    CONSTRAINT ck_federation_grant_state_known CHECK (state IN ('offered', 'accepted', 'refused', 'revoked')),
    CONSTRAINT uq_federation_grant_direction_enterprise_id_other_iri UNIQUE (direction, enterprise_id, other_iri)
) STRICT;

CREATE INDEX ix_federation_grant_peer ON federation_grant (peer_id, direction);

CREATE TABLE federation_lease (
    id TEXT NOT NULL, role TEXT NOT NULL, peer_id TEXT NOT NULL, enterprise_id TEXT NOT NULL, lot_id TEXT NOT NULL,
    lot_iri TEXT NOT NULL, epoch INTEGER NOT NULL, granted INTEGER NOT NULL, report INTEGER NOT NULL,
    seen INTEGER NOT NULL, returned INTEGER NOT NULL, held INTEGER NOT NULL, sold INTEGER NOT NULL,
    late INTEGER NOT NULL, sold_before INTEGER NOT NULL, wanted INTEGER NOT NULL, wanted_at TEXT, until TEXT,
    created_at TEXT NOT NULL, lost INTEGER DEFAULT '0' NOT NULL, ordered INTEGER DEFAULT '0' NOT NULL,
    recalled INTEGER DEFAULT '0' NOT NULL, recalled_at TEXT, asked_until TEXT, refused_until TEXT,
    CONSTRAINT pk_federation_lease PRIMARY KEY (id),
    CONSTRAINT ck_federation_lease_role_known CHECK (role IN ('lender', 'holder')),
    CONSTRAINT ck_federation_lease_granted_not_negative CHECK (granted >= 0),
    CONSTRAINT ck_federation_lease_seen_not_negative CHECK (seen >= 0),
    CONSTRAINT ck_federation_lease_returned_not_negative CHECK (returned >= 0),
    CONSTRAINT ck_federation_lease_held_not_negative CHECK (held >= 0),
    CONSTRAINT ck_federation_lease_sold_not_negative CHECK (sold >= 0),
    CONSTRAINT ck_federation_lease_late_not_negative CHECK (late >= 0),
    CONSTRAINT ck_federation_lease_wanted_not_negative CHECK (wanted >= 0),
    CONSTRAINT uq_federation_lease_role_peer_id_lot_id UNIQUE (role, peer_id, lot_id)
) STRICT;

CREATE INDEX ix_federation_lease_lot ON federation_lease (lot_id);

CREATE INDEX ix_federation_lease_wanted ON federation_lease (lot_id, wanted_at);

CREATE TABLE federation_mirror (
    iri TEXT NOT NULL, peer_id TEXT NOT NULL, enterprise_id TEXT NOT NULL, created_at TEXT NOT NULL,
    CONSTRAINT pk_federation_mirror PRIMARY KEY (iri),
    CONSTRAINT uq_federation_mirror_enterprise_id UNIQUE (enterprise_id)
) STRICT;

CREATE INDEX ix_federation_mirror_peer_id ON federation_mirror (peer_id);

CREATE TABLE federation_copy (
    iri TEXT NOT NULL, peer_id TEXT NOT NULL, kind TEXT NOT NULL, local_id TEXT NOT NULL,
    image TEXT DEFAULT '' NOT NULL, CONSTRAINT pk_federation_copy PRIMARY KEY (iri),
    CONSTRAINT ck_federation_copy_kind_known CHECK (kind IN ('product', 'lot')),
    CONSTRAINT uq_federation_copy_local_id UNIQUE (local_id)
) STRICT;

CREATE INDEX ix_federation_copy_peer_id ON federation_copy (peer_id);

CREATE TABLE federation_told (
    grant_id TEXT NOT NULL, item_id TEXT NOT NULL, rev INTEGER NOT NULL, digest TEXT NOT NULL, lot_id TEXT NOT NULL,
    CONSTRAINT pk_federation_told PRIMARY KEY (grant_id, item_id)
) STRICT;

CREATE INDEX ix_federation_told_lot ON federation_told (lot_id);

CREATE TABLE federation_item (
    grant_id TEXT NOT NULL, iri TEXT NOT NULL, product_id TEXT NOT NULL, lot_id TEXT NOT NULL, offer_iri TEXT NOT NULL,
    price INTEGER NOT NULL, currency TEXT NOT NULL, includes_vat INTEGER NOT NULL, provenance TEXT NOT NULL,
    rev INTEGER NOT NULL, digest TEXT NOT NULL, gone_at TEXT, statement TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_federation_item PRIMARY KEY (grant_id, iri)
) STRICT;

CREATE INDEX ix_federation_item_lot_id ON federation_item (lot_id);

CREATE INDEX ix_federation_item_product_id ON federation_item (product_id);

CREATE TABLE federation_order (
    id TEXT NOT NULL, iri TEXT NOT NULL, role TEXT NOT NULL, peer_id TEXT NOT NULL, enterprise_id TEXT NOT NULL,
    other_iri TEXT NOT NULL, other_name TEXT NOT NULL, session_id TEXT NOT NULL, session_iri TEXT NOT NULL,
    session_name TEXT NOT NULL, closes_at TEXT, begins_at TEXT, currency TEXT NOT NULL, includes_vat INTEGER NOT NULL,
    state TEXT NOT NULL, rev INTEGER NOT NULL, answer INTEGER NOT NULL, created_at TEXT NOT NULL,
    changed_at TEXT NOT NULL, names INTEGER DEFAULT '0' NOT NULL, names_digest TEXT DEFAULT '' NOT NULL, owed INTEGER,
    receipt TEXT DEFAULT '' NOT NULL, objection TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_federation_order PRIMARY KEY (id),
    CONSTRAINT ck_federation_order_role_known CHECK (role IN ('buyer', 'supplier')),
    CONSTRAINT ck_federation_order_state_known CHECK (state IN ('Held', 'Complete', 'Cancelled')),
    CONSTRAINT uq_federation_order_iri UNIQUE (iri),
    CONSTRAINT uq_federation_order_role_enterprise_id_other_iri_session_iri UNIQUE (role, enterprise_id, other_iri, session_iri)
) STRICT;

CREATE INDEX ix_federation_order_enterprise_id ON federation_order (enterprise_id);

CREATE TABLE federation_order_line (
    order_id TEXT NOT NULL, item_iri TEXT NOT NULL, product_id TEXT NOT NULL, name TEXT NOT NULL,
    offer_iri TEXT NOT NULL, rev INTEGER NOT NULL, price INTEGER NOT NULL, vat_rate TEXT NOT NULL,
    quantity INTEGER NOT NULL, answer TEXT NOT NULL, confirmed INTEGER, reason TEXT NOT NULL, final_quantity TEXT,
    unit_quantity TEXT NOT NULL, unit TEXT NOT NULL, doubt TEXT DEFAULT '' NOT NULL, statement TEXT DEFAULT '' NOT NULL,
    received INTEGER, received_quantity TEXT, received_amount INTEGER,
    CONSTRAINT pk_federation_order_line PRIMARY KEY (order_id, item_iri),
    CONSTRAINT ck_federation_order_line_quantity_not_negative CHECK (quantity >= 0),
    CONSTRAINT ck_federation_order_line_answer_known CHECK (answer IN ('', 'confirmed', 'shortened', 'refused'))
) STRICT;

CREATE TABLE federation_cut (
    id TEXT NOT NULL, order_id TEXT NOT NULL, item_iri TEXT NOT NULL, customer_order_id TEXT, pieces INTEGER NOT NULL,
    owed INTEGER NOT NULL, at TEXT NOT NULL, settled_at TEXT, ordered INTEGER, enterprise_id TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_federation_cut PRIMARY KEY (id)
) STRICT;

CREATE INDEX ix_federation_cut_order ON federation_cut (order_id, item_iri);

CREATE TABLE federation_order_due (
    kind TEXT NOT NULL, id TEXT NOT NULL, at TEXT NOT NULL, CONSTRAINT pk_federation_order_due PRIMARY KEY (kind, id),
    CONSTRAINT ck_federation_order_due_kind_known CHECK (kind IN ('session', 'order'))
) STRICT;

CREATE TABLE federation_told_price (
    grant_id TEXT NOT NULL, item_id TEXT NOT NULL, rev INTEGER NOT NULL, price INTEGER NOT NULL, at TEXT NOT NULL,
    statement TEXT DEFAULT '' NOT NULL, CONSTRAINT pk_federation_told_price PRIMARY KEY (grant_id, item_id, rev)
) STRICT;

CREATE TABLE federation_sale (
    id TEXT NOT NULL, direction TEXT NOT NULL, iri TEXT NOT NULL, peer_id TEXT NOT NULL, enterprise_id TEXT NOT NULL,
    other_iri TEXT NOT NULL, other_name TEXT NOT NULL, name TEXT NOT NULL, opens_at TEXT NOT NULL,
    closes_at TEXT NOT NULL, begins_at TEXT NOT NULL, ends_at TEXT NOT NULL, coordination_id TEXT, state TEXT NOT NULL,
    rev INTEGER NOT NULL, changed_at TEXT NOT NULL, CONSTRAINT pk_federation_sale PRIMARY KEY (id),
    CONSTRAINT ck_federation_sale_direction_known CHECK (direction IN ('proposed', 'received')),
    CONSTRAINT ck_federation_sale_state_known CHECK (state IN ('offered', 'accepted', 'refused', 'withdrawn')),
    CONSTRAINT uq_federation_sale_direction_enterprise_id_other_iri_iri UNIQUE (direction, enterprise_id, other_iri, iri)
) STRICT;

CREATE INDEX ix_federation_sale_enterprise_id ON federation_sale (enterprise_id);

CREATE TABLE federation_authority (
    iri TEXT NOT NULL, epoch INTEGER NOT NULL, moved_to TEXT NOT NULL, came_from TEXT NOT NULL,
    recovery_key TEXT NOT NULL, changed_at TEXT NOT NULL, CONSTRAINT pk_federation_authority PRIMARY KEY (iri)
) STRICT;

CREATE TABLE federation_move (
    id TEXT NOT NULL, role TEXT NOT NULL, state TEXT NOT NULL, peer_id TEXT NOT NULL, name TEXT NOT NULL,
    old_iri TEXT NOT NULL, new_iri TEXT NOT NULL, epoch INTEGER NOT NULL, enterprise_id TEXT, owner_id TEXT,
    said TEXT NOT NULL, until TEXT, error TEXT NOT NULL, created_at TEXT NOT NULL, created_by TEXT,
    changed_at TEXT NOT NULL, CONSTRAINT pk_federation_move PRIMARY KEY (id),
    CONSTRAINT ck_federation_move_role_known CHECK (role IN ('leaving', 'coming', 'following')),
    CONSTRAINT ck_federation_move_state_known CHECK (state IN ('offered', 'named', 'accepted', 'frozen', 'ready', 'moved', 'done', 'cancelled', 'refused', 'heard', 'waiting', 'quarantined', 'contested', 'followed'))
) STRICT;

CREATE INDEX ix_federation_move_old_iri ON federation_move (old_iri);

CREATE INDEX ix_federation_move_enterprise ON federation_move (enterprise_id, role);

CREATE TABLE federation_move_part (
    move_id TEXT NOT NULL, part INTEGER NOT NULL, parts INTEGER NOT NULL, rows TEXT NOT NULL,
    CONSTRAINT pk_federation_move_part PRIMARY KEY (move_id, part)
) STRICT;

CREATE TABLE federation_platform (
    enterprise_id TEXT NOT NULL, platform_id TEXT NOT NULL, scopes TEXT NOT NULL, customer_id TEXT,
    changed_at TEXT NOT NULL, changed_by TEXT,
    CONSTRAINT pk_federation_platform PRIMARY KEY (enterprise_id, platform_id),
    CONSTRAINT fk_federation_platform_enterprise_id_enterprise FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_federation_platform_customer_id_customer FOREIGN KEY(customer_id) REFERENCES customer (id)
) STRICT;

CREATE INDEX ix_federation_platform_platform_id ON federation_platform (platform_id);

CREATE TABLE federation_platform_order (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, sender TEXT NOT NULL, "key" TEXT NOT NULL, said_hash TEXT NOT NULL,
    order_id TEXT, ordered_by TEXT NOT NULL, state TEXT NOT NULL, created_at TEXT NOT NULL, changed_at TEXT NOT NULL,
    CONSTRAINT pk_federation_platform_order PRIMARY KEY (id),
    CONSTRAINT ck_federation_platform_order_state_known CHECK (state IN ('Held', 'Complete', 'Cancelled')),
    CONSTRAINT fk_federation_platform_order_enterprise_id_enterprise FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT uq_federation_platform_order_enterprise_id_sender_key UNIQUE (enterprise_id, sender, "key")
) STRICT;

CREATE INDEX ix_federation_platform_order_order_id ON federation_platform_order (order_id);

CREATE TABLE federation_platform_line (
    id TEXT NOT NULL, order_id TEXT NOT NULL, item_id TEXT NOT NULL, offer_iri TEXT NOT NULL, wanted INTEGER NOT NULL,
    reason TEXT NOT NULL, product_iri TEXT DEFAULT '' NOT NULL, CONSTRAINT pk_federation_platform_line PRIMARY KEY (id),
    CONSTRAINT fk_federation_platform_line_order_id_federation_platform_order FOREIGN KEY(order_id) REFERENCES federation_platform_order (id)
) STRICT;

CREATE INDEX ix_federation_platform_line_order_id ON federation_platform_line (order_id);

CREATE TABLE federation_link (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, url TEXT NOT NULL, name TEXT NOT NULL, dfc_version TEXT NOT NULL,
    auth TEXT NOT NULL, issuer TEXT NOT NULL, client_id TEXT NOT NULL, secret TEXT NOT NULL, catalog_id TEXT,
    margin TEXT, default_type TEXT NOT NULL, default_vat TEXT, state TEXT NOT NULL, etag TEXT NOT NULL,
    digest TEXT NOT NULL, refreshed_at TEXT, tried_at TEXT, due_at TEXT NOT NULL, failures INTEGER NOT NULL,
    error TEXT NOT NULL, findings TEXT NOT NULL, created_at TEXT NOT NULL, created_by TEXT, changed_at TEXT NOT NULL,
    version INTEGER NOT NULL, CONSTRAINT pk_federation_link PRIMARY KEY (id),
    CONSTRAINT ck_federation_link_dfc_version_known CHECK (dfc_version IN ('1.16', '2.0')),
    CONSTRAINT ck_federation_link_auth_known CHECK (auth IN ('none', 'token', 'api_key', 'oidc')),
    CONSTRAINT ck_federation_link_state_known CHECK (state IN ('active', 'suspended', 'ended')),
    CONSTRAINT uq_federation_link_enterprise_id_url UNIQUE (enterprise_id, url)
) STRICT;

CREATE INDEX ix_federation_link_due ON federation_link (state, due_at);

CREATE TABLE federation_linked_producer (
    enterprise_id TEXT NOT NULL, iri TEXT NOT NULL, producer_id TEXT NOT NULL, created_at TEXT NOT NULL,
    CONSTRAINT pk_federation_linked_producer PRIMARY KEY (enterprise_id, iri),
    CONSTRAINT fk_federation_linked_producer_enterprise_id_enterprise FOREIGN KEY(enterprise_id) REFERENCES enterprise (id),
    CONSTRAINT fk_federation_linked_producer_producer_id_enterprise FOREIGN KEY(producer_id) REFERENCES enterprise (id),
    CONSTRAINT uq_federation_linked_producer_producer_id UNIQUE (producer_id)
) STRICT;

CREATE TABLE federation_linked_product (
    link_id TEXT NOT NULL, iri TEXT NOT NULL, item_iri TEXT NOT NULL, offer_iri TEXT NOT NULL, product_id TEXT NOT NULL,
    lot_id TEXT NOT NULL, price INTEGER NOT NULL, stock INTEGER, taken INTEGER NOT NULL, case_iri TEXT NOT NULL,
    case_offer_iri TEXT NOT NULL, case_pieces INTEGER NOT NULL, case_of INTEGER NOT NULL, case_price INTEGER,
    digest TEXT NOT NULL, changed_at TEXT NOT NULL, gone_at TEXT,
    CONSTRAINT pk_federation_linked_product PRIMARY KEY (link_id, iri),
    CONSTRAINT fk_federation_linked_product_link_id_federation_link FOREIGN KEY(link_id) REFERENCES federation_link (id)
) STRICT;

CREATE INDEX ix_federation_linked_product_product_id ON federation_linked_product (product_id);

CREATE INDEX ix_federation_linked_product_lot_id ON federation_linked_product (lot_id);

CREATE TABLE federation_platform_notice (
    platform_id TEXT NOT NULL, enterprise_id TEXT NOT NULL, scope TEXT NOT NULL, changed_at TEXT NOT NULL,
    CONSTRAINT pk_federation_platform_notice PRIMARY KEY (platform_id, enterprise_id, scope),
    CONSTRAINT fk_federation_platform_notice_enterprise_id_enterprise FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
) STRICT;

CREATE TABLE federation_backorder (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, link_id TEXT NOT NULL, session_id TEXT NOT NULL,
    session_name TEXT NOT NULL, opens_at TEXT NOT NULL, closes_at TEXT NOT NULL, begins_at TEXT NOT NULL,
    currency TEXT NOT NULL, iri TEXT NOT NULL, url TEXT NOT NULL, "key" TEXT NOT NULL, state TEXT NOT NULL,
    said_state TEXT NOT NULL, posting INTEGER NOT NULL, "before" TEXT NOT NULL, due_at TEXT, claimed_until TEXT,
    failures INTEGER NOT NULL, failing_since TEXT, error TEXT NOT NULL, parked_at TEXT, answered_at TEXT,
    created_at TEXT NOT NULL, changed_at TEXT NOT NULL, CONSTRAINT pk_federation_backorder PRIMARY KEY (id),
    CONSTRAINT ck_federation_backorder_state_known CHECK (state IN ('Held', 'Complete', 'Cancelled')),
    CONSTRAINT ck_federation_backorder_said_state_known CHECK (said_state IN ('', 'Held', 'Complete', 'Cancelled')),
    CONSTRAINT uq_federation_backorder_session_id_link_id UNIQUE (session_id, link_id)
) STRICT;

CREATE INDEX ix_federation_backorder_enterprise_id ON federation_backorder (enterprise_id);

CREATE INDEX ix_federation_backorder_due ON federation_backorder (due_at);

CREATE TABLE federation_backorder_line (
    backorder_id TEXT NOT NULL, product_iri TEXT NOT NULL, product_id TEXT NOT NULL, name TEXT NOT NULL,
    ordered_iri TEXT NOT NULL, offer_iri TEXT NOT NULL, per_case INTEGER NOT NULL, cases_of INTEGER NOT NULL,
    price INTEGER, pieces INTEGER NOT NULL, said INTEGER, answer TEXT NOT NULL, confirmed INTEGER, reason TEXT NOT NULL,
    told_price INTEGER, line_iri TEXT NOT NULL,
    CONSTRAINT pk_federation_backorder_line PRIMARY KEY (backorder_id, product_iri),
    CONSTRAINT ck_federation_backorder_line_counts_possible CHECK (pieces >= 0 AND per_case > 0 AND cases_of > 0),
    CONSTRAINT ck_federation_backorder_line_answer_known CHECK (answer IN ('', 'confirmed', 'shortened', 'refused')),
    CONSTRAINT fk_federation_backorder_line_backorder_id_federation_backorder FOREIGN KEY(backorder_id) REFERENCES federation_backorder (id)
) STRICT;

CREATE INDEX ix_federation_order_peer ON federation_order (peer_id, state);

CREATE INDEX ix_federation_sale_peer ON federation_sale (peer_id);

CREATE TABLE federation_order_name (
    order_id TEXT NOT NULL, item_iri TEXT NOT NULL, place INTEGER NOT NULL, name TEXT NOT NULL,
    quantity INTEGER NOT NULL, CONSTRAINT pk_federation_order_name PRIMARY KEY (order_id, item_iri, place),
    CONSTRAINT fk_federation_order_name_order FOREIGN KEY(order_id) REFERENCES federation_order (id) ON DELETE CASCADE
) STRICT;

CREATE TABLE federation_notice (
    enterprise_id TEXT NOT NULL, kind TEXT NOT NULL, peer_id TEXT NOT NULL, subject_id TEXT NOT NULL,
    details TEXT NOT NULL, waiting INTEGER NOT NULL, due_at TEXT NOT NULL, mailed_at TEXT,
    CONSTRAINT pk_federation_notice PRIMARY KEY (enterprise_id, kind, peer_id, subject_id)
) STRICT;

CREATE INDEX ix_federation_notice_due ON federation_notice (waiting, due_at);

CREATE TABLE federation_joined_lot (
    lot_id TEXT NOT NULL, main_id TEXT NOT NULL, CONSTRAINT pk_federation_joined_lot PRIMARY KEY (lot_id)
) STRICT;

CREATE INDEX ix_federation_joined_lot_main_id ON federation_joined_lot (main_id);

CREATE TABLE federation_statement (
    name TEXT NOT NULL, text TEXT NOT NULL, actor TEXT NOT NULL, key_version INTEGER NOT NULL, origin TEXT NOT NULL,
    item_iri TEXT NOT NULL, rev INTEGER NOT NULL, verified_at TEXT NOT NULL,
    CONSTRAINT pk_federation_statement PRIMARY KEY (name)
) STRICT;

CREATE INDEX ix_federation_statement_origin ON federation_statement (origin);

CREATE INDEX ix_federation_statement_verified ON federation_statement (verified_at);

CREATE TABLE federation_signer (
    iri TEXT NOT NULL, version INTEGER NOT NULL, document TEXT NOT NULL, bound TEXT NOT NULL, verified_at TEXT NOT NULL,
    CONSTRAINT pk_federation_signer PRIMARY KEY (iri, version)
) STRICT;

CREATE TABLE federation_origin (
    iri TEXT NOT NULL, peer_id TEXT NOT NULL, document TEXT NOT NULL, document_at TEXT, doubt TEXT NOT NULL,
    waiting TEXT NOT NULL, failures INTEGER NOT NULL, asked_at TEXT, silent_since TEXT,
    CONSTRAINT pk_federation_origin PRIMARY KEY (iri)
) STRICT;

CREATE INDEX ix_federation_origin_peer_id ON federation_origin (peer_id);

CREATE INDEX ix_federation_item_statement ON federation_item (statement);

CREATE INDEX ix_federation_order_line_statement ON federation_order_line (statement);

CREATE INDEX ix_federation_told_price_statement ON federation_told_price (statement);

CREATE TABLE federation_order_message (
    order_id TEXT NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL, key_version INTEGER NOT NULL, at TEXT NOT NULL,
    CONSTRAINT pk_federation_order_message PRIMARY KEY (order_id, type),
    CONSTRAINT ck_federation_order_message_type_known CHECK (type IN ('OrderUpdate', 'OrderAnswer')),
    CONSTRAINT fk_federation_order_message_order_id_federation_order FOREIGN KEY(order_id) REFERENCES federation_order (id) ON DELETE CASCADE
) STRICT;

CREATE TABLE federation_moved_order (
    id TEXT NOT NULL, enterprise_id TEXT NOT NULL, iri TEXT NOT NULL, items TEXT NOT NULL, messages TEXT NOT NULL,
    CONSTRAINT pk_federation_moved_order PRIMARY KEY (id)
) STRICT;

CREATE INDEX ix_federation_moved_order_enterprise_id ON federation_moved_order (enterprise_id);

CREATE TABLE federation_moved_order_statement (
    order_id TEXT NOT NULL, statement TEXT NOT NULL,
    CONSTRAINT pk_federation_moved_order_statement PRIMARY KEY (order_id, statement),
    CONSTRAINT fk_federation_moved_order_statement_order_id_federation_moved_order FOREIGN KEY(order_id) REFERENCES federation_moved_order (id) ON DELETE CASCADE
) STRICT;

CREATE INDEX ix_federation_moved_order_statement_statement ON federation_moved_order_statement (statement);

CREATE TABLE federation_pairing (
    id TEXT NOT NULL, role TEXT NOT NULL, invitation TEXT NOT NULL, secret TEXT NOT NULL, note TEXT NOT NULL,
    state TEXT NOT NULL, reason TEXT NOT NULL, iri TEXT NOT NULL, document TEXT NOT NULL, document_at TEXT,
    commitment TEXT NOT NULL, our_nonce TEXT NOT NULL, their_nonce TEXT NOT NULL, their_answer TEXT NOT NULL,
    created_at TEXT NOT NULL, changed_at TEXT NOT NULL, expires_at TEXT NOT NULL,
    CONSTRAINT pk_federation_pairing PRIMARY KEY (id),
    CONSTRAINT ck_federation_pairing_role_known CHECK (role IN ('inviter', 'joiner')),
    CONSTRAINT ck_federation_pairing_state_known CHECK (state IN ('made', 'opened', 'shown', 'agreed', 'ended')),
    CONSTRAINT uq_federation_pairing_invitation_role UNIQUE (invitation, role)
) STRICT;

CREATE TABLE federation_platform_account (
    enterprise_id TEXT NOT NULL, id TEXT NOT NULL, issuer TEXT NOT NULL, client TEXT NOT NULL, account TEXT NOT NULL,
    name TEXT NOT NULL, named_at TEXT NOT NULL, named_by TEXT,
    CONSTRAINT pk_federation_platform_account PRIMARY KEY (enterprise_id, id),
    CONSTRAINT fk_federation_platform_account_enterprise_id_enterprise FOREIGN KEY(enterprise_id) REFERENCES enterprise (id)
) STRICT;

CREATE INDEX ix_federation_platform_account_id ON federation_platform_account (id);

CREATE TABLE federation_absences (
    grant_id TEXT NOT NULL, rev INTEGER NOT NULL, periods TEXT NOT NULL,
    CONSTRAINT pk_federation_absences PRIMARY KEY (grant_id)
) STRICT
