"""Who says whose an order is. Everything that belongs to somebody goes by this value, and by nothing else.

An e-mail address on an order is where its mails go; it proves nothing, since anybody can type anybody's. So each order
keeps an `Identity` beside the address:

* `Identity.TYPED`: nobody has proved whose it is: a guest, or an account whose own address is not confirmed.
* `Identity.PROVEN`: the customer was logged in with a confirmed address, or has followed the link that only the mail
  about the order holds (`proof.prove_order`).
* `Identity.BY_HUB`: the shop ordered for its customer, and answers for who that is.

How to use it:

* `Order.customer_id` is the customer whose order it is: None while the identity is typed. A plugin that reads it
  (accounts, subsidies, limits for each customer) can never reach what belongs to another.
* Inside the core, `proof.known_of(tx, order)` gives the customer and the categories with which an order is priced;
  `proof.identify(...)` decides both for a new one. Nobody else looks a customer up by the address of an order.
* In SQL, the column `customer_order.customer_id` also names the shop's record for an address that was only typed: the
  shop wants to read who is expected on Thursday. A statement that gives or takes something asks for
  `identity <> 'typed'` too.
* An order that is typed becomes proven by `proof.prove_order`, by whoever follows the mailed link, or when the account
  with which it was placed confirms its address. `letters.mailed_secret` makes the secret of such a link: it goes into a
  mail and nowhere else, least of all into an answer to who has placed the order.
"""

from __future__ import annotations

from enum import StrEnum


class Identity(StrEnum):
    """Who says whose an order is; the value of `customer_order.identity`."""

    TYPED = "typed"
    PROVEN = "proven"
    BY_HUB = "hub"
