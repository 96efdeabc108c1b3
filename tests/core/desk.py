"""A person who may do everything at a shop with one product, and the audit trail of their actions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert

from commensal.audit.trail import AuditEntry, AuditFilter, audit_entries
from commensal.enterprises.tables import enterprise_member
from commensal.enterprises.tokens import make_token
from commensal.instance import Instance
from commensal.parts.serving.app import make_app
from commensal.people.actor import ENTERPRISE_SCOPES, OPERATOR, SELF
from commensal.people.people import add_person, new_person
from commensal.testing.instances import client_of
from commensal.testing.placed import a_lot, a_shop, an_item

PASSWORD = "a long enough password"


class Desk:
    """Requests as Ada, who owns the shop and operates the instance, with a token of all scopes."""

    def __init__(self, instance: Instance) -> None:
        self.instance, self.client = instance, client_of(make_app(instance))
        with instance.store.write() as tx:
            a_shop(tx)
            self.item = an_item(tx, a_lot(tx, on_hand="9"), name="Carottes")
            ada = add_person(
                tx,
                new_person(email="ada@example.org", name="Ada", password=PASSWORD, language="en"),
                confirmed=True,
                is_operator=True,
            )
            assert ada is not None
            self.ada = ada.id
            membership = {"enterprise_id": "shop", "person_id": ada.id, "role": "owner", "since": tx.now}
            tx.execute(insert(enterprise_member).values(membership))
            scopes = {*ENTERPRISE_SCOPES, *tx.own_scopes.by_name, SELF, OPERATOR}
            self.token = make_token(tx, ada.id, name="desk", scopes=scopes)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        all_headers = {"Authorization": f"Bearer {self.token.secret}", "X-Request-Id": "request-of-ada", **headers}
        return self.client.request(method, f"/api{path}", json=body, headers=all_headers)

    def trail(self, **filters: Any) -> list[AuditEntry]:
        with self.instance.store.read() as tx:
            return list(audit_entries(tx, AuditFilter(**filters), 1000))

    def last(self, **filters: Any) -> AuditEntry:
        return self.trail(**filters)[0]
