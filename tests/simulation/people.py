"""Actions of people: customers, hubs and producers, each at their own instance, by the commands that the pages call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from commensal import Order, SoldOut, Transaction
from commensal.catalogs.items import change_item, item_by_id
from commensal.catalogs.offers import set_price
from commensal.catalogs.tables import catalog_item
from commensal.enterprises.plugins import change_plugin
from commensal.enterprises.tables import enterprise_plugin
from commensal.orders.cancel import cancel_order
from commensal.orders.change import change_order
from commensal.orders.fulfil import hand_order_over, undo_hand_over_of, weigh_order
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.tables import customer_order
from commensal.orders.values import Wish
from commensal.products.tables import supplied_product
from commensal.stock.lots import lots_by_id
from commensal.stock.movements import count_stock, receive_stock
from commensal_federation.authority.authority import authority_of, is_frozen
from commensal_federation.catalogue.grants import accept_grant, end_grant, give_grant
from commensal_federation.dfc.iris import enterprise_iri
from commensal_federation.grants.questions import grants_between, mirror_of
from commensal_federation.grants.tables import federation_lease
from commensal_federation.leases.lender import accept_late, force_return
from commensal_federation.messages.bodies.orders import InstanceOrder
from commensal_federation.messages.order_answer import AnswerLine
from commensal_federation.moving.moves import base_of, moves
from commensal_federation.moving.new_home import accept_move, name_owner
from commensal_federation.moving.old_home import offer_move
from commensal_federation.orders.claims import answer_receipt
from commensal_federation.orders.questions import orders_of, orders_to_agree
from commensal_federation.orders.statement import claim_of
from commensal_federation.orders.supplier import answer_order

from .liars import is_lie
from .liveness import refused_in_vain
from .money import Till
from .nodes import Node
from .versions import tell_weather
from .worlds import Farm, Stall, owner_at

if TYPE_CHECKING:
    from .simulation import Simulation

_AT_HUBS = ("order", "order much", "cancel", "change", "weigh", "hand over", "take back", "grant", "settle", "forecast")
Deed = tuple[str, Node, Callable[[], Any]]


class People:
    def __init__(self, simulation: Simulation) -> None:
        self.simulation, self.chance = simulation, simulation.chance
        self.done: Counter[str] = Counter()
        self.too_late: list[str] = []  # orders that were placed when a lease was over
        # By node and peer: what each lease had been granted, in its epoch, when the right to sell was taken back.
        self.revoked: dict[tuple[str, str], dict[tuple[str, int], int]] = {}
        self.by_hand: set[str] = set()  # IRIs of orders that a person has answered; after a restore their rows are new
        self.idle_elsewhere: list[str] = []  # orders that were refused although there was enough stock
        self.till = Till(simulation)
        self._settings()

    def anybody(self) -> Deed:
        habits = self.simulation.plan.habits
        (habit,) = self.chance.choices(list(habits), list(habits.values()))
        deed = getattr(self, f"_{habit.replace(' ', '_')}")
        if habit in _AT_HUBS:
            stall = self.chance.choice(self.simulation.world.stalls)
            node = self.simulation.nodes[stall.node]
            return habit, node, partial(deed, node, stall)
        farm = self.chance.choice(self.farms)
        node = self.simulation.nodes[farm.node]
        if is_on_its_way(node, farm):
            return habit, node, lambda: "nothing: the farm is on its way, and its people can only read"
        return habit, node, partial(deed, node, farm)

    @property
    def farms(self) -> Sequence[Farm]:
        """The producers, each where it lives now."""
        farms = self.simulation.world.farms
        return [home_of(self.simulation, farm) for farm in farms] if self.simulation.plan.moves else farms

    def move(self) -> None:
        """The farm's owner would like to live elsewhere."""
        (farm,) = self.farms
        node = self.simulation.nodes[farm.node]
        target = self.chance.choice(
            [candidate for candidate in self.simulation.nodes.values() if candidate is not node]
        )

        def offer() -> str:
            with node.instance.store.write() as tx:
                offer_move(node.federation, tx, farm.id, node.peer_in(tx, target).id)
            self.simulation.at(self.simulation.now, "agree", None, partial(self._agree, target, 40))
            return f"to {target.name}"

        self.simulation.do("moves", node, offer)

    def _agree(self, node: Node, tries: int) -> None:
        """The operator of the new home and the owner agree as soon as they have heard of it."""

        def agree() -> str:
            with node.instance.store.write() as tx:
                for coming in moves(tx, role="coming", states=("offered", "named")):
                    name_owner(tx, coming.id, owner_at(node.name))
                    accept_move(node.federation, tx, coming.id, owner_at(node.name))
                    self.done["moves"] += 1
                    return coming.name
            return "nothing"

        moves_before = self.done["moves"]
        self.simulation.do("agrees", node, agree)
        if self.done["moves"] == moves_before and tries:
            try_again_at = self.simulation.now + timedelta(seconds=15)
            self.simulation.at(try_again_at, "agree", None, partial(self._agree, node, tries - 1))

    def finish(self) -> None:
        """Does what had to wait for a person: answers orders, and accepts late sales if there is enough stock."""
        for farm in self.farms:
            node = self.simulation.nodes[farm.node]
            self.simulation.do("answers all", node, partial(self._answer_all, node, farm.id))
            self.simulation.do("accepts", node, partial(self._accept_late, node, farm))
        for stall in self.simulation.world.stalls:
            node = self.simulation.nodes[stall.node]
            self.simulation.do("grant", node, partial(self._grant, node, stall))
            self.simulation.do("answers doubts", node, partial(self._answer_all, node, stall.id, in_doubt=True))

    def waited_for(self) -> bool:
        """Returns whether new orders wait for an answer: a hub may pass on orders after the producers' last answers."""
        places = [(farm.node, farm.id, False) for farm in self.farms]
        places += [(stall.node, stall.id, True) for stall in self.simulation.world.stalls]
        for name, id, in_doubt in places:
            with self.simulation.nodes[name].disk.read() as tx:
                if _unanswered(tx, id, in_doubt=in_doubt):
                    return True
        return False

    def settle(self) -> None:
        """Customers pay what they owe, and get back what they paid too much."""
        for name in dict.fromkeys(stall.node for stall in self.simulation.world.stalls):
            node = self.simulation.nodes[name]
            self.simulation.do("settles", node, partial(self.till.settle_all, node))

    # ------------------------------------------------------------------------------------------------ customers

    def _order(self, node: Node, stall: Stall, most: int = 4) -> str:
        items = self.chance.sample(list(stall.items), self.chance.randint(1, min(2, len(stall.items))))
        quantities = {item: self.chance.randint(1, most) for item in items}
        wish = Wish(items=quantities, name="Ada", email="ada@example.org", language="en")
        started = self.simulation.now
        try:
            order = node.instance.transact(
                lambda tx: self._placed(tx, place_order(tx, node.instance.hooks, f"{stall.id}-session", wish))
            )
        except SoldOut as refused:
            self.idle_elsewhere += refused_in_vain(self.simulation, node, stall, refused, started)
            raise
        self.done["orders"] += 1
        return f"{order.number} of {', '.join(f'{line.quantity} {line.name}' for line in order.lines)}"

    def _placed(self, tx: Transaction, order: Order) -> Order:
        """Nothing is sold from a lease that has ended."""
        row = federation_lease.c
        lots = [line.lot_id for line in order.lines]
        conditions = (row.role == "holder", row.lot_id.in_(lots), row.until.is_not(None), row.until <= tx.now)
        self._refuse_ended(tx, order)
        if tx.first(select(row.id).where(*conditions)) is not None:
            self.too_late.append(f"order {order.number} of {order.enterprise_id} sells what the lease gives no more")
        return order

    def _refuse_ended(self, tx: Transaction, order: Order) -> None:
        """Nothing is sold of a producer that has ended the trade, from the moment on in which the hub hears of it."""
        suppliers = {line.supplier_id for line in order.lines}
        grants = grants_between(tx, enterprise_id=order.enterprise_id, direction="received")
        sellable = {mirror_of(tx, grant.other_iri) for grant in grants if grant.state == "accepted"}
        for grant in grants:
            mirror = mirror_of(tx, grant.other_iri)
            if mirror in suppliers and mirror not in sellable:
                self.too_late.append(
                    f"order {order.number} of {order.enterprise_id} sells what {grant.other_name} ended"
                )

    def _order_much(self, node: Node, stall: Stall) -> str:
        return self._order(node, stall, most=25)

    def _cancel(self, node: Node, stall: Stall) -> str:
        with node.instance.store.write() as tx:
            order = self._any(tx, stall, "Held", "Complete")
            if order is None:
                return "nothing"
            cancel_order(tx, node.instance.hooks, order, by_hub=True)
        return f"order {order.number}"

    def _change(self, node: Node, stall: Stall) -> str:
        item, pieces = self.chance.choice(list(stall.items)), self.chance.randint(0, 6)

        def change_items(tx: Transaction) -> str:
            order = self._any(tx, stall, "Held")
            if order is None:
                return "nothing"
            items = {line.item_id: line.quantity for line in order.lines if line.item_id} | {item: pieces}
            change_order(tx, node.instance.hooks, order, items=items)
            return f"order {order.number}"

        random_state = self.chance.getstate()

        # after stock was brought in, the same change is tried again
        def change_with_same_draws(tx: Transaction) -> str:
            self.chance.setstate(random_state)
            return change_items(tx)

        return node.instance.transact(change_with_same_draws)

    # ------------------------------------------------------------------------------------------------ hubs

    def _weigh(self, node: Node, stall: Stall) -> str:
        with node.instance.store.write() as tx:
            order = self._any(tx, stall, "Held", "Complete")
            lines = [line for line in order.lines if line.weighed and line.quantity] if order else []
            if order is None or not lines:
                return "nothing"
            line = self.chance.choice(lines)
            weight = line.unit_quantity * line.quantity * self.chance.randint(80, 120) / 100
            weigh_order(tx, node.instance.hooks, order, {line.id: weight})
        return f"order {order.number}: {weight}"

    def _hand_over(self, node: Node, stall: Stall) -> str:
        with node.instance.store.write() as tx:
            order = self._any(tx, stall, "Held", "Complete")
            if order is None:
                return "nothing"
            hand_order_over(tx, order, at_estimate=True)
        self.done["handed over"] += 1
        return f"order {order.number}"

    def _take_back(self, node: Node, stall: Stall) -> str:
        """The hub undoes a hand-over, of which it may have told the producer."""
        with node.instance.store.write() as tx:
            order = self._any(tx, stall, "Complete", handed_over=True)
            if order is None:
                return "nothing"
            undo_hand_over_of(tx, order)
        self.done["taken back"] += 1
        return f"order {order.number}"

    def _grant(self, node: Node, stall: Stall) -> str:
        """The hub accepts what it was offered."""
        with node.instance.store.write() as tx:
            grants_offered = grants_between(tx, enterprise_id=stall.id, direction="received", state="offered")
            for grant in grants_offered:
                accept_grant(node.federation, tx, grant.id)
        return f"{len(grants_offered)} taken"

    def _settle(self, node: Node, stall: Stall) -> str:
        return self.till.settle_one(node)

    def _forecast(self, node: Node, stall: Stall) -> str:
        if self.simulation.plan.older is None or node.older:
            return "no news of the weather"
        return tell_weather(node)

    # ------------------------------------------------------------------------------------------------ producers

    def _receive(self, node: Node, farm: Farm) -> str:
        lot_id, _ = self._good(farm)
        with node.instance.store.write() as tx:
            receive_stock(tx, farm.id, lot_id, Decimal(self.chance.randint(1, 12)))
        return lot_id

    def _count(self, node: Node, farm: Farm) -> str:
        lot_id, _ = self._good(farm)
        with node.instance.store.write() as tx:
            lot = lots_by_id(tx, [lot_id])[lot_id]
            count_stock(tx, farm.id, lot_id, max(Decimal(0), lot.on_hand + self.chance.randint(-4, 4)))
        return lot_id

    def _price(self, node: Node, farm: Farm) -> str:
        _, item = self._good(farm)
        price = self.chance.randint(1000, 3000)
        with node.instance.store.write() as tx:
            set_price(tx, farm.id, item, price)
        return f"{item}: {price}"

    def _hide(self, node: Node, farm: Farm) -> str:
        _, item = self._good(farm)
        with node.instance.store.write() as tx:
            item_before = item_by_id(tx, farm.id, item)
            change_item(tx, farm.id, item, item_before.version, hidden=not item_before.hidden)
        return f"{item}: {not item_before.hidden}"

    def _revoke(self, node: Node, farm: Farm) -> str:
        """In half of all cases the right is given again."""
        with node.instance.store.write() as tx:
            grants_given = grants_between(tx, enterprise_id=farm.id, direction="given")
            if not grants_given:
                return "nothing"  # it has just moved, and no hub has followed yet
            grant = self.chance.choice(grants_given)
            if grant.state != "revoked":
                end_grant(node.federation, tx, grant.id)
                self.revoked[node.name, grant.peer_id] = self._granted(tx, grant.peer_id)
                return f"from {grant.other_name}"
            self.revoked.pop((node.name, grant.peer_id), None)
            give_grant(
                node.federation, tx, farm.id, grant.peer_id, grant.other_iri, grant.other_name, resell=grant.resell
            )
        return f"to {grant.other_name} again"

    def _force(self, node: Node, farm: Farm) -> str:
        with node.instance.store.write() as tx:
            leases = self._leases(tx)
            if not leases:
                return "nothing"
            force_return(node.federation, tx, self.chance.choice(leases))
        self.done["forced"] += 1
        return "by force"

    def _accept_late(self, node: Node, farm: Farm) -> str:
        with node.instance.store.write() as tx:
            late_leases = self._leases(tx, federation_lease.c.late > 0)
            accepted = sum(accept_late(node.federation, tx, lease) for lease in late_leases)
            for name, peer_id in self.revoked:  # what was sold late may still be granted
                if name == node.name:
                    self.revoked[name, peer_id] = self._granted(tx, peer_id)
            return f"{accepted} of {len(late_leases)}"

    def _answer(self, node: Node, farm: Farm) -> str:
        """Some of it will come."""
        with node.instance.store.write() as tx:
            orders = [order for order in orders_of(tx, farm.id) if order.state != "Cancelled" and order.lines]
            if not orders:
                return "nothing"
            order = self.chance.choice(orders)
            line = self.chance.choice(order.lines)
            less = max(0, line.quantity - self.chance.randint(0, 3))
            self.by_hand.add(order.iri)
            answer_line = AnswerLine(item_iri=line.item_iri, answer="confirmed", confirmed=less, reason="hail")
            answer_order(node.federation, tx, farm.id, order.id, {line.item_iri: answer_line})
        return f"{less} of {line.quantity} {line.name}"

    def _answer_all(self, node: Node, id: str, *, in_doubt: bool = False) -> str:
        """The producer or reseller `id` answers its orders; `in_doubt`: only those that wait for nobody else."""
        with node.instance.store.write() as tx:
            orders = _unanswered(tx, id, in_doubt=in_doubt)
            for order in orders:
                self.by_hand.add(order.iri)
                answer_order(node.federation, tx, id, order.id, {} if not is_lie(order.iri) else _refused(order))
            for order in orders_to_agree(tx, id):
                claim = claim_of(order)
                if claim is not None and not is_lie(order.iri):
                    answer_receipt(node.federation, tx, id, order.id, objection="", owed=claim.total)
        return str(len(orders))

    # ------------------------------------------------------------------------------------------------

    def _any(self, tx: Transaction, stall: Stall, *states: str, handed_over: bool = False) -> Order | None:
        """Returns a random order of the newest ones, locked."""
        row = customer_order.c
        fulfilled = (row.fulfilment_state == "Fulfilled") if handed_over else (row.fulfilment_state != "Fulfilled")
        conditions = (row.enterprise_id == stall.id, row.state.in_(states), fulfilled)
        order_ids = [
            row["id"] for row in tx.all(select(row.id).where(*conditions).order_by(row.number.desc()).limit(8))
        ]
        return locked_order(tx, self.chance.choice(order_ids), enterprise_id=stall.id) if order_ids else None

    def _leases(self, tx: Transaction, *conditions: Any) -> Sequence[str]:
        row = federation_lease.c
        return [row["id"] for row in tx.all(select(row.id).where(row.role == "lender", *conditions).order_by(row.id))]

    def _granted(self, tx: Transaction, peer_id: str) -> dict[tuple[str, int], int]:
        row = federation_lease.c
        rows = tx.all(select(row.id, row.epoch, row.granted).where(row.peer_id == peer_id, row.role == "lender"))
        return {(row["id"], row["epoch"]): row["granted"] for row in rows}

    def _good(self, farm: Farm) -> tuple[str, str]:
        return self.chance.choice(list(farm.goods.values()))

    def _settings(self) -> None:
        """Sets who confirms by hand, and whose orders are cut first."""
        plan, world = self.simulation.plan, self.simulation.world
        chosen_settings: list[tuple[str, str, dict[str, object]]] = [
            (farm.node, farm.id, {"confirm": "by hand" if plan.by_hand else "by itself"}) for farm in world.farms
        ]
        trusting = {"shortage": plan.shortage, "allowance_percent": 100, "allowance_month": 10_000_00}
        chosen_settings += [(stall.node, stall.id, trusting) for stall in world.stalls]
        row = enterprise_plugin.c
        for name, id, settings in chosen_settings:
            node = self.simulation.nodes[name]
            with node.instance.store.write() as tx:
                version = tx.value(select(row.version).where(row.enterprise_id == id, row.plugin == "federation"))
                change_plugin(tx, node.instance.hooks, id, "federation", version, settings)


def home_of(simulation: Simulation, farm: Farm) -> Farm:
    """Where the farm lives now, with the ids that it and its goods have there; its items keep theirs."""
    node, id, home = simulation.nodes[farm.node], farm.id, farm
    seen: set[str] = set()
    while node.up and node.name not in seen:  # otherwise nobody can ask, or it is on its way back there
        seen.add(node.name)
        with node.disk.read() as tx:
            goods = dict(_goods_there(tx, [item for _, item in farm.goods.values()]))
            moved_to = authority_of(tx, enterprise_iri(node.base, id)).moved_to
        if not goods:
            return home  # it is on its way from there
        home = Farm(node.name, id, goods)
        if not moved_to:
            return home
        node, id = simulation.node_at(base_of(moved_to)), moved_to.rpartition("/")[2]
    return home


def is_on_its_way(node: Node, farm: Farm) -> bool:
    """Whether the farm's export is under way, or it was handed over and its new home has not heard of it yet."""
    if not node.up:
        return False  # nobody can ask
    with node.disk.read() as tx:
        return is_frozen(tx, farm.id) or bool(authority_of(tx, enterprise_iri(node.base, farm.id)).moved_to)


def _goods_there(tx: Transaction, items: Sequence[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    row, good = catalog_item.c, supplied_product.c
    query = select(row.id, good.id.label("product"), good.lot_id).join(supplied_product, good.id == row.product_id)
    for item_row in tx.all(query.where(row.id.in_(items)).order_by(row.id)):
        yield item_row["product"], (item_row["lot_id"], item_row["id"])


def _refused(order: InstanceOrder) -> dict[str, AnswerLine]:
    """Refuses all lines: a person who checks finds that nobody has ordered that."""
    iris = [line.item_iri for line in order.lines]
    return {iri: AnswerLine(item_iri=iri, answer="refused", confirmed=0, reason="a lie") for iri in iris}


def _unanswered(tx: Transaction, id: str, *, in_doubt: bool) -> list[InstanceOrder]:
    """Returns complete orders at this enterprise with a line that has no answer; `in_doubt`: and is in doubt."""
    complete = [order for order in orders_of(tx, id) if order.role == "supplier" and order.state == "Complete"]
    return [
        order for order in complete if any(not line.answer and (line.doubt or not in_doubt) for line in order.lines)
    ]
