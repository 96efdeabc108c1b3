"""Enterprises: their data, their addresses, and who may see that they exist."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from commensal.base.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from commensal.enterprises import enterprises
from commensal.enterprises.enterprises import (
    Enterprise,
    archive_enterprise,
    change_enterprise,
    create_enterprise,
    enterprises_by_id,
    find_enterprise,
    list_enterprises,
    restore_enterprise,
)
from commensal.enterprises.grants import grant
from commensal.enterprises.members import list_members, memberships_of
from commensal.people.people import Person
from commensal.storage.database import Store

Somebody = Callable[..., Person]


def create(store: Store, owner: Person, name: str, **kwargs: Any) -> Enterprise:
    defaults: dict[str, Any] = {"language": "fr", "timezone": "Europe/Paris", "currency": "EUR", "visibility": "public"}
    with store.write() as tx:
        return create_enterprise(tx, owner_id=owner.id, name=name, **{**defaults, **kwargs})


def test_who_creates_an_enterprise_owns_it(store: Store, somebody: Somebody) -> None:
    ada = somebody("Ada")
    enterprise = create(store, ada, " Les Œufs d'Été ", city="Bourg", is_hub=True, vat_number="fr 12 345678901")
    assert (enterprise.name, enterprise.slug, enterprise.vat_number, enterprise.version) == (
        "Les Œufs d'Été",
        "les-oeufs-d-ete",
        "FR12345678901",
        1,
    )
    assert (enterprise.is_hub, enterprise.is_producer, enterprise.country, enterprise.archived_at) == (
        True,
        False,
        "FR",
        None,
    )
    bob = somebody("Bob")
    assert create(store, bob, "Camden Hub", timezone="Europe/London").country == "GB"
    with store.read() as tx:
        assert find_enterprise(tx, enterprise.id) == find_enterprise(tx, enterprise.slug) == enterprise
        assert enterprises_by_id(tx, [enterprise.id, "none"]) == {enterprise.id: enterprise}
        assert [(member.person_id, member.role) for member in list_members(tx, enterprise.id)] == [(ada.id, "owner")]
        assert [(membership.enterprise, membership.role) for membership in memberships_of(tx, ada.id)] == [
            (enterprise, "owner")
        ]


def test_enterprises_of_one_name_get_addresses_of_their_own(store: Store, somebody: Somebody) -> None:
    ada = somebody("Ada")
    slugs = [create(store, ada, name).slug for name in ["La Ferme"] * 11 + ["火", "x" * 200]]
    assert slugs[:3] == ["la-ferme", "la-ferme-2", "la-ferme-3"]
    assert slugs[8] == "la-ferme-9"
    assert slugs[11] == "enterprise"
    assert slugs[12] == "x" * 60
    assert len(set(slugs)) == len(slugs)


def test_a_description_loses_what_could_harm(store: Store, somebody: Somebody) -> None:
    enterprise = create(store, somebody("Ada"), "La Ferme", description="<p onclick=x>Bon</p><script>x</script>")
    assert enterprise.description == "<p>Bon</p>"


def test_a_description_in_further_languages_is_cleaned_and_stored_by_language(store: Store, somebody: Somebody) -> None:
    texts = {"en": "<p onclick=x>Hello</p>", "de": " "}
    enterprise = create(store, somebody("Ada"), "Ada's", description="Bonjour", descriptions=texts)
    assert enterprise.descriptions == {"en": "<p>Hello</p>"}
    for wrong, code in ({"fr-FR": "Bonjour"}, "language"), (dict.fromkeys(map(str, range(21)), "x"), "too_many"):
        with pytest.raises(Invalid) as error, store.write() as tx:
            change_enterprise(tx, enterprise.id, 1, descriptions=wrong)
        assert [(problem.code, problem.where) for problem in error.value.problems] == [(code, "/descriptions")]


def test_every_mistake_is_named(store: Store, somebody: Somebody) -> None:
    invalid: dict[str, Any] = {
        "name": " ",
        "slug": "La Ferme",
        "visibility": "secret",
        "email": "no address",
        "phone": "on the door",
        "country": "XX",
        "latitude": Decimal("90.1"),
        "longitude": Decimal("NaN"),
        "language": "xx",
        "timezone": "Mars/Olympus",
        "vat_number": "FR-1",
        "currency": "XYZ",
    }
    with pytest.raises(Invalid) as error:
        create(store, somebody("Ada"), **invalid)
    assert sorted(problem.where for problem in error.value.problems) == sorted(f"/{name}" for name in invalid)


def test_a_place_has_both_coordinates_or_none(store: Store, somebody: Somebody) -> None:
    ada = somebody("Ada")
    with pytest.raises(Invalid, match="latitude and longitude"):
        create(store, ada, "La Ferme", latitude=Decimal("46.2"))
    enterprise = create(store, ada, "La Ferme", latitude=Decimal("46.2050000"), longitude=Decimal("-5.2250001"))
    assert (enterprise.latitude, enterprise.longitude) == (Decimal("46.205"), Decimal("-5.2250001"))


def test_an_address_that_looks_like_an_id_or_is_taken_is_refused(store: Store, somebody: Somebody) -> None:
    ada = somebody("Ada")
    first = create(store, ada, "La Ferme")
    for slug in (first.id, first.slug):
        with pytest.raises(Invalid) as error:
            create(store, ada, "Une autre", slug=slug)
        assert [problem.where for problem in error.value.problems] == ["/slug"]
    other = create(store, ada, "Une autre", slug="autre")
    with store.write() as tx:
        with pytest.raises(Invalid, match="already"):
            change_enterprise(tx, other.id, other.version, slug=first.slug)
        assert change_enterprise(tx, other.id, other.version, slug="encore-une-autre").version == 2


def test_an_address_that_is_only_claimed_founds_nothing(store: Store, somebody: Somebody) -> None:
    with pytest.raises(Forbidden, match="confirm"):
        create(store, somebody("Eve", confirmed=False), "La Ferme")


def test_a_person_owns_a_limited_number_unless_they_run_the_instance(
    store: Store, somebody: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enterprises, "MOST", 2)
    ada, root = somebody("Ada"), somebody("Root", operator=True)
    for owner in (ada, ada, root, root, root):
        create(store, owner, "La Ferme")
    with pytest.raises(Conflict, match="2 enterprises"):
        create(store, ada, "La Ferme")


def test_a_change_raises_the_version_and_is_searched_at_once(store: Store, somebody: Somebody) -> None:
    created = create(store, somebody("Ada"), "La Ferme", city="Bourg")
    with store.write() as tx:
        changed = change_enterprise(tx, created.id, 1, name="Le Château", visibility="public")
        assert (changed.name, changed.city, changed.version, changed.slug) == ("Le Château", "Bourg", 2, "la-ferme")
        assert list_enterprises(tx, search="CHATEAU bourg") == [changed]
        assert list_enterprises(tx, search="ferme") == []
        with pytest.raises(Stale):
            change_enterprise(tx, created.id, 1, name="Autre")
        with pytest.raises(NotFound):
            change_enterprise(tx, "none", 1, name="Autre")


def test_only_public_enterprises_are_listed_page_by_page(store: Store, somebody: Somebody) -> None:
    ada = somebody("Ada")
    for name in ("Cerise", "Abricot", "Banane"):
        create(store, ada, name, is_producer=name != "Banane", is_hub=name == "Banane")
    create(store, ada, "Link", visibility="link")
    create(store, ada, "Hidden", visibility="hidden")
    with store.read() as tx:
        first = list_enterprises(tx, limit=2)
        second = list_enterprises(tx, after=first[-1].slug, limit=2)
        assert [enterprise.name for enterprise in [*first, *second]] == ["Abricot", "Banane", "Cerise"]
        assert [enterprise.name for enterprise in list_enterprises(tx, kind="producer")] == ["Abricot", "Cerise"]
        assert [enterprise.name for enterprise in list_enterprises(tx, kind="hub")] == ["Banane"]


def test_a_hidden_enterprise_is_known_to_its_members_and_to_those_it_lets_look(
    store: Store, somebody: Somebody
) -> None:
    ada, eve, zoe = somebody("Ada"), somebody("Eve"), somebody("Zoe")
    hidden = create(store, ada, "Hidden", visibility="hidden")
    link = create(store, ada, "Link", visibility="link")
    friend = create(store, eve, "Friend")

    def is_visible(enterprise: Enterprise, person: Person | None) -> bool:
        try:
            with store.read() as tx:
                return find_enterprise(tx, enterprise.slug, person_id=person.id if person else None) is not None
        except NotFound:
            return False

    other = create(store, ada, "Other", visibility="hidden")
    with store.write() as tx:
        grant(tx, other.id, friend.id, "ReadEnterprise")
    assert [is_visible(link, person) for person in (None, ada, eve, zoe)] == [True] * 4
    assert [is_visible(hidden, person) for person in (None, ada, eve, zoe)] == [False, True, False, False]
    with store.write() as tx:
        grant(tx, hidden.id, friend.id, "ReadProducts")
    assert not is_visible(hidden, eve)
    with store.write() as tx:
        grant(tx, hidden.id, friend.id, "ReadEnterprise")
    assert [is_visible(hidden, person) for person in (None, ada, eve, zoe)] == [False, True, True, False]


def test_an_archived_enterprise_is_gone_for_all_but_its_members_until_it_is_restored(
    store: Store, somebody: Somebody
) -> None:
    ada = somebody("Ada")
    created = create(store, ada, "La Ferme")
    with store.write() as tx:
        enterprise = archive_enterprise(tx, created.id, created.version)
        assert enterprise.archived_at == tx.now
        assert list_enterprises(tx) == []
        with pytest.raises(NotFound):
            find_enterprise(tx, created.slug)
        assert find_enterprise(tx, created.slug, person_id=ada.id) == enterprise
        restored = restore_enterprise(tx, created.id, enterprise.version)
        assert find_enterprise(tx, created.slug) == restored
