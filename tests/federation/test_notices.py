"""People whom an event concerns get a mail: in their language, with what it means for orders and what to do."""

from __future__ import annotations

from sqlalchemy import update

from commensal.base.languages.catalogs import spaced
from commensal.enterprises.tables import enterprise_plugin
from commensal.payments.payments import receive_payment
from commensal_federation.catalogue.grants import accept_grant, end_grant, give_grant
from commensal_federation.grants.questions import grants_between
from commensal_federation.orders.questions import cuts_of
from commensal_federation.orders.supplier import answer_order
from commensal_federation.proposals.receiving import accept_sale
from commensal_federation.testing import Region

from .conftest import NewRegion
from .reading_mail import Mail, farm, hub, new_mails
from .test_proposals import only_proposal, propose
from .trading import Hub, Place, Producer, answer, clock_of, close, minutes, only_order, region_of_peers

__all__ = ["farm", "hub"]  # fixtures
PEERS = ("ab",)
BOTH = True  # databases


def of_place(place: Place) -> set[str]:
    """The addresses of the owner and the manager."""
    return {f"owner@{place.id}.example", f"manager@{place.id}.example"}


def has(mail: Mail, subject: str, *texts: str) -> None:
    """The mail says all that, in both of its parts."""
    assert mail.subject == subject  # with plain spaces, as people type them into the search of their mail program
    for text in texts:
        assert spaced("fr", text) in mail.text.replace("\n", " "), mail.text
    assert "commensal " not in mail.text + mail.html, "who works at a hub or a producer has no shell"


def offer(farm: Producer, hub: Hub) -> str:
    """Offers a grant; returns its id at the hub's instance."""
    with farm.write() as tx:
        give_grant(farm.federation, tx, farm.id, farm.region.peer("a", "b").id, hub.iri, hub.id)
    farm.region.work()
    with hub.read() as tx:
        (offered,) = grants_between(tx, enterprise_id=hub.id, direction="received", state="offered")
    return offered.id


def test_owners_of_a_hub_read_that_a_producer_offers_its_goods(region: Region, farm: Producer, hub: Hub) -> None:
    offer(farm, hub)
    mails = new_mails(hub, region)
    assert set(mails) == {"owner@hub.example"}, "a manager may not accept grants"
    mail = mails["owner@hub.example"]
    assert mail.language == "fr"
    has(
        mail,
        "farm vous propose ses produits",
        "farm, chez Instance A, propose à hub de référencer et de vendre ses produits.",
        "Ce que cela change pour les commandes : Rien ne peut être commandé avant que vous ayez accepté.",
        "Que faire : Acceptez, ou refusez.",
        f"{hub.federation.base}/office/hub/producers/elsewhere",
    )
    assert new_mails(farm, region) == {}


def test_an_offer_that_somebody_has_accepted_already_is_not_mailed(region: Region, farm: Producer, hub: Hub) -> None:
    farm.grant(hub)
    assert new_mails(hub, region) == {}


def test_thirty_offers_make_one_mail(region: Region, hub: Hub) -> None:
    for number in range(30):
        offer_of = Producer(region, "a", f"farm{number:03}")
        with offer_of.write() as tx:
            give_grant(offer_of.federation, tx, offer_of.id, region.peer("a", "b").id, hub.iri, hub.id)
    region.work()
    (mail,) = new_mails(hub, region).values()
    assert mail.subject == "farm000 vous propose ses produits (+29)"
    assert mail.text.count("référencer et de vendre") == 20
    assert "Et 10 de plus." in mail.text


def test_owners_of_a_producer_read_what_a_hub_has_answered(region: Region, farm: Producer, hub: Hub) -> None:
    grant_id = offer(farm, hub)
    with hub.write() as tx:
        accept_grant(hub.federation, tx, grant_id)
    has(
        new_mails(farm, region)["owner@farm.example"],
        "hub peut maintenant vendre vos produits",
        "hub, chez Instance B, a accepté l’autorisation donnée par farm.",
        "Chaque commande est prise sur votre stock",
        "Que faire : Rien.",
        f"{farm.federation.base}/office/farm/hubs/elsewhere",
    )
    with hub.write() as tx:
        end_grant(hub.federation, tx, grant_id)
    region.work()
    has(
        new_mails(farm, region)["owner@farm.example"],
        "hub ne vend plus vos produits",
        "hub, chez Instance B, a renoncé à l’autorisation donnée par farm.",
        "Ce que ses clients ont commandé reste commandé.",
        "Livrez ce qui est commandé",
        f"{farm.federation.base}/office/farm/bring",
    )


def test_owners_of_a_producer_read_that_a_hub_has_refused(region: Region, farm: Producer, hub: Hub) -> None:
    grant_id = offer(farm, hub)
    with hub.write() as tx:
        end_grant(hub.federation, tx, grant_id)
    region.work()
    has(
        new_mails(farm, region)["owner@farm.example"],
        "hub ne souhaite pas vendre vos produits",
        "hub, chez Instance B, a refusé",
        "Ce groupement ne vous commande rien.",
        "Demandez-lui pourquoi.",
        f"{farm.federation.base}/office/farm/hubs/elsewhere",
    )


def test_a_hub_reads_that_a_grant_has_ended_and_what_was_taken_off_sale(
    region: Region, farm: Producer, hub: Hub
) -> None:
    farm.grant(hub)
    hub.sell(farm)
    new_mails(hub, region)
    with farm.write() as tx:
        (grant,) = grants_between(tx, enterprise_id=farm.id, direction="given")
        end_grant(farm.federation, tx, grant.id)
    region.work()
    mails = new_mails(hub, region)
    assert set(mails) == of_place(hub)
    has(
        mails["manager@hub.example"],
        "farm: goods taken off sale",
        "hub may not sell the goods of farm any more. Taken off sale: 1 catalogue items.",
        "What your customers have ordered stays ordered",
        "Tell your customers",
        f"{hub.federation.base}/office/hub/orders",
    )
    has(
        mails["owner@hub.example"],
        "farm : produits retirés de la vente",
        "Retirés de la vente : 1 articles",
        "Prévenez vos clients",
    )


def test_a_producer_reads_what_a_hub_orders_although_it_is_confirmed_by_itself(
    region: Region, farm: Producer, hub: Hub
) -> None:
    """As producers of the same instance are mailed their orders."""
    farm.grant(hub)
    hub.order(hub.sell(farm), 3)
    new_mails(farm, region)
    close(region)
    mails = new_mails(farm, region)
    assert set(mails) == of_place(farm)
    has(
        mails["manager@farm.example"],
        "hub: your order for Vente de juin",
        "hub has closed its sale Vente de juin. It orders from farm: 3 Apples. In all €60.00.",
        f"{farm.federation.base}/office/farm/bring/elsewhere",
    )
    has(mails["owner@farm.example"], "hub : votre commande pour Vente de juin", "En tout 60,00")


def confirm_by_hand(farm: Producer) -> None:
    with farm.write() as tx:
        setting = update(enterprise_plugin).where(enterprise_plugin.c.plugin == "federation")
        tx.execute(setting.values(settings={"confirm": "by hand"}))


def test_a_producer_reads_that_a_complete_order_waits(region: Region, farm: Producer, hub: Hub) -> None:
    farm.grant(hub)
    confirm_by_hand(farm)
    hub.order(hub.sell(farm), 3)
    new_mails(farm, region)
    close(region)
    mails = new_mails(farm, region)
    assert set(mails) == of_place(farm), "a packer answers no orders"
    has(
        mails["manager@farm.example"],
        "hub: an order waits for your answer",
        "hub has closed its sale Vente de juin. Its order from farm waits for your answer: 3 Apples",
        "What it means for orders: The hub does not know yet what comes",
        "write how many come where fewer do",
        f"{farm.federation.base}/office/farm/bring/elsewhere",
    )
    has(
        mails["owner@farm.example"],
        "hub : une commande attend votre réponse",
        "hub a clos sa vente Vente de juin.",
        "Regardez la commande et confirmez-la",
        f"{farm.federation.base}/office/farm/bring/elsewhere",
    )
    assert "commensal federation" not in mails["owner@farm.example"].text, "a farmer has no shell"
    clock_of(region).advance(days=2)
    assert new_mails(farm, region) == {}, "once"


def test_an_order_that_is_answered_meanwhile_is_not_mailed(region: Region, farm: Producer, hub: Hub) -> None:
    farm.grant(hub)
    confirm_by_hand(farm)
    hub.order(hub.sell(farm), 3)
    new_mails(farm, region)
    clock_of(region).advance(days=1, hours=1)
    minutes(region, 1)
    assert only_order(farm).state == "Complete"
    with farm.write() as tx:
        answer_order(farm.federation, tx, farm.id, only_order(farm).id, {})
    assert new_mails(farm, region) == {}


def test_a_hub_reads_whose_orders_shrink_and_what_it_owes(region: Region, farm: Producer, hub: Hub) -> None:
    farm.grant(hub)
    hub.trust()
    item = hub.sell(farm)
    paid_order = hub.order(item, 3, "Ada")
    hub.order(item, 2, "Grace")
    with hub.write() as tx:
        receive_payment(
            tx,
            enterprise_id=hub.id,
            order_id=paid_order.id,
            person_id=None,
            method="cash:cash",
            amount=paid_order.total,
            idempotency_key="at the counter",
        )
    close(region)
    new_mails(hub, region)
    answer(farm, 2)
    mails = new_mails(hub, region)
    assert set(mails) == of_place(hub)
    with hub.read() as tx:
        assert len(cuts_of(tx, [only_order(hub).id])) == 2
    has(
        mails["manager@hub.example"],
        "farm: less comes than was ordered",
        "Vente de juin: of 5 Apples, 2 come. (hail) Customers' orders made smaller: 2.",
        "To give back to customers: €25.00. Left for you to decide: 0 pieces.",
        "Customers get less, by the rule that hub has chosen",
        "Look at whose order is smaller now",
        f"{hub.federation.base}/office/hub/orders",
    )
    has(mails["owner@hub.example"], "farm : il viendra moins que commandé", "sur 5 Apples, 2 viendront.", "25,00\xa0€")
    answer(farm, 2)
    assert new_mails(hub, region) == {}, "the same answer once more is nothing new"


def test_a_hub_reads_that_a_sale_is_proposed_and_when(region: Region, farm: Producer, hub: Hub) -> None:
    farm.grant(hub)
    hub.as_producer(farm)
    new_mails(hub, region)
    iri = propose(farm)
    mails = new_mails(hub, region)
    assert set(mails) == of_place(hub)
    has(
        mails["manager@hub.example"],
        "farm proposes the sale Cherries",
        "farm proposes hub the sale Cherries: orders from Thursday",
        "the sale is then your own, with your prices",
        "Accept, or refuse, before it opens.",
        f"{hub.federation.base}/office/hub/producers/elsewhere",
    )
    has(mails["owner@hub.example"], "farm propose la vente Cherries", "commandes du jeudi", "Acceptez, ou refusez")
    propose(farm, sale=iri, days=2)
    assert new_mails(hub, region) == {}, "within an hour, once"
    clock_of(region).advance(hours=1)
    assert set(new_mails(hub, region)) == of_place(hub), "the new times"


def test_an_enterprise_without_members_gets_it_at_its_own_address(new_region: NewRegion) -> None:
    region = region_of_peers(new_region, "ab")
    farm, hub = Producer(region, "a"), Hub(region, "b")
    offer(farm, hub)
    minutes(region, 4)
    texts = [file.read_text(encoding="utf-8") for file in (hub.instance.folder / "mail").glob("*.eml")]
    (text,) = [text for text in texts if "Subject: farm vous propose ses produits" in text]
    assert "To: hub <hub@example.org>" in text


def test_a_hub_reads_that_a_sale_it_holds_has_changed_unless_its_own_follows(
    region: Region, farm: Producer, hub: Hub
) -> None:
    farm.grant(hub)
    hub.as_producer(farm)
    iri = propose(farm)
    with hub.write() as tx:
        accept_sale(hub.federation, tx, hub.id, only_proposal(hub).id)
    assert new_mails(hub, region) == {}, "somebody has accepted it"
    propose(farm, sale=iri, days=2)
    mails = new_mails(hub, region)
    assert set(mails) == of_place(hub)
    has(
        mails["manager@hub.example"],
        "farm: the sale Cherries has changed",
        "farm has changed or withdrawn the sale Cherries, which hub holds: orders from Thursday",
        "Your own sale and its orders stay as they are.",
        "Compare the times",
        f"{hub.federation.base}/office/hub/producers/elsewhere",
    )
    has(mails["owner@hub.example"], "farm : la vente Cherries a changé", "que tient hub", "Comparez les dates")
    with hub.write() as tx:
        setting = update(enterprise_plugin).where(enterprise_plugin.c.plugin == "federation")
        tx.execute(setting.values(settings={"accept_sales": True}))
    clock_of(region).advance(hours=2)
    propose(farm, name="Plums")
    assert new_mails(hub, region) == {}, "opened automatically"
