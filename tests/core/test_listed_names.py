"""Names of goods, by which a long list is searched and sorted before its rows are read."""

from __future__ import annotations

from commensal.catalogs.items import change_item, hide_items
from commensal.catalogs.listings import listed_for, listed_names, unlisted_names
from commensal.instance import Instance

from .supplying import Supplying


def test_names_are_those_of_the_goods_that_everybody_may_see(instance: Instance) -> None:
    supplying = Supplying(instance)
    with instance.store.write() as tx:
        change_item(tx, "hub", supplying.items["hub apples"], 1, name="Red apples")
        names = listed_names(tx, "hub")
        assert [each.item_id for each in names] == [item.item_id for item in listed_for(tx, "hub", None)]
        assert {(each.name, each.producer, each.lot_name) for each in names} == {
            ("Red apples", "The farm", "Apples"),
            ("Cheese", "The dairy", "Cheese"),
        }
        hide_items(tx, "hub", [supplying.items["hub cheese"]])
        assert [each.name for each in listed_names(tx, "hub")] == ["Red apples"]


def test_goods_that_only_others_list_are_unlisted_at_their_producer_alone(instance: Instance) -> None:
    supplying = Supplying(instance)
    with instance.store.write() as tx:
        (apples,) = unlisted_names(tx, "farm")
        assert (apples.item_id, apples.name, apples.lot_id) == ("", "Apples", supplying.lots["apples"])
        assert (listed_names(tx, "farm"), unlisted_names(tx, "hub")) == ([], [])
