"""What the people of a producer or a hub are mailed.

Values come from whoever notes the event, and from `sending`, which adds `enterprise` (ours), `peer` and `url` (the
other instance).
"""

from __future__ import annotations

from collections.abc import Callable

from .peer_kinds import Wording


def producer_wordings(_: Callable[[str], str]) -> dict[str, Wording]:
    """The wordings for a producer's people by kind, in the language of `_`."""
    return {
        "order_waits": Wording(
            _("{hub}: an order waits for your answer"),
            _("{hub} has closed its sale {sale}. Its order from {enterprise} waits for your answer: {lines}"),
            _("The hub does not know yet what comes, and cannot tell its customers."),
            _("Look at the order and confirm it; write how many come where fewer do."),
            page="bring/elsewhere",
        ),
        "order_final": Wording(
            _("{hub}: your order for {sale}"),
            _("{hub} has closed its sale {sale}. It orders from {enterprise}: {lines}. In all {total}."),
            _("It is confirmed, and handed out on {begins}. Its customers count on it."),
            _("Bring it. If some of it does not come, say so on the page below, which has the hub’s address too."),
            page="bring/elsewhere",
        ),
        "claimed": Wording(
            _("{hub}: it wants to owe another sum"),
            _("{sale}: {enterprise} has confirmed {total} of it, and {hub} says now that it owes {claimed}."),
            _("Until you agree, it owes what you have confirmed."),
            _("Look at what it says, and agree or say what is not right."),
            page="bring/elsewhere",
        ),
        "grant_accepted": Wording(
            _("{hub} can sell your goods now"),
            _("{hub}, of {peer}, has accepted what {enterprise} had granted."),
            _("Its customers can order what you list. Every order comes out of your one stock."),
            _("Nothing. You can see at any time how much of your stock it holds."),
            page="hubs/elsewhere",
        ),
        "grant_refused": Wording(
            _("{hub} does not want to sell your goods"),
            _("{hub}, of {peer}, has refused what {enterprise} had offered. {reason}"),
            _("It orders nothing from you."),
            _("Ask its people why. You can offer it again."),
            page="hubs/elsewhere",
        ),
        "grant_given_up": Wording(
            _("{hub} does not sell your goods any more"),
            _("{hub}, of {peer}, has given up what {enterprise} had granted."),
            _("What its customers have ordered stays ordered. What nobody has ordered goes back into your stock."),
            _("Deliver what is ordered, or agree with its people on something else."),
            page="bring",
        ),
        "sold_late": Wording(
            _("{peer} has sold more than it may"),
            _("{peer} has sold {quantity} {unit} of {lot} that {enterprise} had not leased to it."),
            _("These pieces are ordered by customers there, and nothing of your stock is kept for them."),
            _(
                "Answer the hub's order with less. If you have enough, ask whoever runs this site to grant them after "
                "all: the page “Lent stock” does it."
            ),
            page="bring/elsewhere",
        ),
        "unsettled": Wording(
            _("{peer}: an order is left to settle"),
            _("The trade with {peer} has ended. Nobody has confirmed all of the order of {other} for {sale}: {lines}"),
            _("No message passes any more: the two instances cannot agree on this order by themselves."),
            _("Call the people of the other side, and agree on what is delivered and paid."),
        ),
    }


def hub_wordings(_: Callable[[str], str]) -> dict[str, Wording]:
    """The wordings for a hub's people by kind, in the language of `_`."""
    return {
        "grant_offered": Wording(
            _("{producer} offers you its goods"),
            _("{producer}, of {peer}, offers {enterprise} to list and sell its goods."),
            _("Nothing of it can be ordered before you accept."),
            _("Accept, or refuse."),
            page="producers/elsewhere",
        ),
        "grant_ended": Wording(
            _("{producer}: goods taken off sale"),
            _("{enterprise} may not sell the goods of {producer} any more. Taken off sale: {count} catalogue items."),
            _("What your customers have ordered stays ordered, and the producer still owes it."),
            _("Tell your customers if you had announced these goods, and ask the producer if it was a mistake."),
            page="orders",
        ),
        "sale_proposed": Wording(
            _("{producer} proposes the sale {sale}"),
            _("{producer} proposes {enterprise} the sale {sale}: orders from {opens} to {closes}, given out {begins}."),
            _("Your customers can order in it once you accept; the sale is then your own, with your prices."),
            _("Accept, or refuse, before it opens."),
            page="producers/elsewhere",
        ),
        "sale_changed": Wording(
            _("{producer}: the sale {sale} has changed"),
            _(
                "{producer} has changed or withdrawn the sale {sale}, which {enterprise} holds: orders from {opens} to "
                "{closes}, given out {begins}."
            ),
            _("Your own sale and its orders stay as they are."),
            _("Compare the times, change or close your sale if it must follow, and tell your customers."),
            page="producers/elsewhere",
        ),
        "shortened": Wording(
            _("{producer}: less comes than was ordered"),
            _(
                "{sale}: of {ordered} {product}, {coming} come. {reason} Customers' orders made smaller: {orders}. To "
                "give back to customers: {owed}. Left for you to decide: {open} pieces."
            ),
            _("Customers get less, by the rule that {enterprise} has chosen, and those who have paid get money back."),
            _("Look at whose order is smaller now, give back what is owed, and decide on the rest."),
            page="orders",
        ),
        "confirmed_late": Wording(
            _("{producer}: says too late that more comes"),
            _("{sale}: {producer} had confirmed {coming} {product}, and says now that {confirmed} come."),
            _("It comes too late to count: by the order {enterprise} owes what was confirmed in time."),
            _("If they came, hand them out to those who ordered them: the order follows what you hand out."),
            page="orders",
        ),
        "objected": Wording(
            _("{producer} does not agree to what you owe"),
            _("{sale}: {enterprise} says that it owes {claimed}. {producer} does not agree: {objection}"),
            _("By the order, which stands until both agree, it is {total}."),
            _("Call the producer. What you agree on counts once its people have confirmed it on their page."),
            page="orders",
        ),
        "oversold": Wording(
            _("{lot}: sold more than {peer} has lent"),
            _("{enterprise} has sold {quantity} {unit} of {lot} that {peer} has not leased to it."),
            _("The producer may deliver less: it decides whether these pieces come."),
            _("Call the producer. If they do not come, its answer to your order will be shortened."),
        ),
        "producer_away": Wording(
            _("{producer} cannot be reached"),
            _(
                "{peer}, the instance of {producer}, has not answered since {since}. The sale {sale} of {enterprise} "
                "is open until {closes}."
            ),
            _(
                "Customers can order only what you hold of these goods. Your order reaches the producer when its "
                "instance is back."
            ),
            _("Call the producer, and tell it what is ordered if the sale closes before."),
            page="orders",
        ),
        "item_left_out": Wording(
            _("{producer}: goods left out"),
            _("{enterprise} cannot list an item of {producer}: {reason}"),
            _("It cannot be ordered; all other goods can."),
            _("Send this on to the producer, who can correct the item."),
        ),
        "sums_differ": Wording(
            _("{producer}: two sums for one order"),
            _(
                "At {sale}, the books of {enterprise} say {books} for {producer}; the order between the two instances "
                "says {statement}."
            ),
            _("No file for the bank pays this producer for that sale until both are the same."),
            _("Compare the statement with what you received, and agree with the producer which sum is right."),
            page="money/suppliers",
        ),
        "platform_sums_differ": Wording(
            _("{producer}: two sums for goods of a platform"),
            _(
                "At {sale}, the books of {enterprise} say {books} for goods of {producer}; the platform's answer to "
                "the order says {statement}."
            ),
            _("No file for the bank pays this producer for that sale until both are the same."),
            _("Compare the platform's order with what you received, and agree with its people which sum is right."),
            page="money/suppliers",
        ),
        "price_asked": Wording(
            _("{producer}: {product} is off sale until you look at its price"),
            _("{producer} asks {asked} for {product}; {enterprise} has accepted {before}."),
            _("Nobody can order it. What customers have ordered keeps its price, for them and for you."),
            _("Accept the new price, or keep it off sale."),
            page="producers/prices",
        ),
        "first_price": Wording(
            _("{producer}: {product} is new and not on sale until you look at its price"),
            _(
                "{producer} asks {asked} for {product}. That is far from what {enterprise} sells goods of its kind "
                "for, or there is nothing to compare it with."
            ),
            _("Nobody can order it."),
            _("Accept the price, or keep it off sale."),
            page="producers/prices",
        ),
        "origin_silent": Wording(
            _("{peer}: goods wait for their producer's instance"),
            _(
                "{enterprise} cannot list goods yet that come through {peer}: the instance where they are said to come "
                "from, {origin}, has not answered since {since}."
            ),
            _("They cannot be ordered until it answers, because nobody else can prove that they are the producer's."),
            _("Ask the people of {peer}, or the producer, whether that instance is running. It is asked again."),
        ),
    }


def move_wordings(_: Callable[[str], str]) -> dict[str, Wording]:
    """The wordings for owners of an enterprise that moves to another site, by kind, in the language of `_`."""
    return {
        "arriving": Wording(
            _("{name}: shall it come to this site?"),
            _("{name}, now at {peer} ({url}), would like to move to this site. You were named as its owner here."),
            _("Its goods, stock, prices and orders come along, and hubs go on selling them. Nothing has changed yet."),
            _("Say yes or no on the page below."),
        ),
        "arrived": Wording(
            _("{enterprise} has arrived"),
            _("{enterprise} has moved from {peer} ({url}) to this site."),
            _("Its stock counts here from now on. Hubs elsewhere follow by themselves; what is ordered stays ordered."),
            _("Look through your products and stock, and invite your team: it does not move along."),
            page="hubs",
        ),
        "move_refused": Wording(
            _("{enterprise} stays here"),
            _("{peer} ({url}) does not take {enterprise} in. {reason}"),
            _("All goes on as before."),
            _("Ask its people why. You can offer it again."),
            page="hubs/move",
        ),
    }
