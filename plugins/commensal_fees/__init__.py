"""Fees: what a hub, its coordinator or a producer takes for packing, transport, administration, sales or a good cause.

A hub writes its fees into its settings; each says how it is worked out, who gets it, and which VAT it bears. There are
nine ways to work one out, under the names that Open Food Network gives them where it knows them. Figures are in euros;
amounts in the settings are minor units of the hub's currency, with VAT or without as its prices are.

A fee for each line of the order; several pieces of one product are one line:

- ``FlatPercentPerItem``: a percentage of a piece, rounded for one piece, times the pieces. 5 % of eggs at 0.33 is 0.02
  for one and 0.06 for three. What was weighed is a piece of its own: the percentage is that of what it cost.
- ``PerItem``: an amount for each piece. 0.10 for three jars is 0.30.
- ``Weight``: an amount for each kilogram, of the weight that the scales said where they did. 0.40 for a bag of 2 kg
  that weighs 1.870 kg is 0.75. A litre counts as a kilogram, a piece as much as the fee says.

A fee for the whole order:

- ``FlatPercentItemTotal``: a percentage of the sum, rounded once. 5 % of three eggs at 0.33 is 0.05.
- ``FlatRate``: the same amount for every order.
- ``FlexiRate``: an amount for the first piece, another for each further one, up to a number of pieces that count. 1.00
  and 0.20 for at most five: one piece is 1.00, three are 1.40, five or fifty are 1.80.
- ``PriceSack``: one amount below a threshold, another from there on. 4.00 below 50.00 and nothing above: 49.99 of goods
  bear 4.00, 50.00 bear nothing.
- ``FlatPercentWithin``: a percentage of the sum, but never less than one amount nor more than another. 3 %, at least
  0.50 and at most 6.00: 0.50 for 10.00, 1.50 for 50.00, 6.00 for 300.00.
- ``WeightSteps``: an amount by the weight of the whole order, as carriers charge. 5.00 up to 10 kg, 8.00 up to 30 kg,
  15.00 beyond: 10 kg cost 5.00, 10.001 kg cost 8.00.

The last two stand where Open Food Network has *None* and *DefaultTax*: a fee of nothing is left out here, and VAT is
worked out from the goods.

Deposits bear no fee, nor does what could not be delivered (its weight is zero). All fees are worked out from the goods
alone, never from one another, so it does not matter in which order they stand. Halves are rounded up.
"""

from __future__ import annotations

from commensal import hookimpl

from .by_weight import weight_rules
from .charging import adjustment_names, order_thresholds, price_adjustments
from .demo import demo_data
from .settings import Settings

__all__ = [
    "adjustment_names",
    "demo_data",
    "enterprise_settings",
    "order_thresholds",
    "price_adjustments",
    "weight_rules",
]


@hookimpl
def enterprise_settings() -> type:
    return Settings
