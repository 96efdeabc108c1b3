"""Who vouches for the owner of an order. Access to anything that belongs to a customer depends on this value alone.

The e-mail address of an order is where its e-mails go. It proves nothing: anybody can type any address. So each order
stores an `Identity` beside the address:

* `Identity.TYPED`: the owner is not proven: a guest, or an account whose own address is not confirmed.
* `Identity.PROVEN`: the customer was logged in with a confirmed address, or has followed the link that only the e-mail
  about the order contains (`proof.prove_order`).
* `Identity.BY_HUB`: the shop ordered for its customer and vouches for them.

How to use it:

* `Order.customer_id` is the customer who owns the order: None while the identity is typed. A plugin that reads it
  (accounts, subsidies, limits for each customer) can never reach what belongs to another customer.
* Inside the core, `proof.known_customer_of(tx, order)` returns the customer for whom an order is priced;
  `proof.identify(...)` decides both for a new order. No other code looks a customer up by the address of an order.
* A proven order of an account belongs to its customer, so that everybody in the customer's household sees and changes
  it (`questions._opens_to`); `Order.person_id` is the account that placed it. Only a typed order opens to that.
* In SQL, the column `customer_order.customer_id` also names the shop's record for an address that was only typed: the
  shop wants to read who is expected on Thursday. A statement that gives or takes something must also demand
  `identity <> 'typed'`.
* A typed order becomes proven by `proof.prove_order`, which the link in the e-mail leads to, or when the account that
  placed it confirms its address. `emails.mailed_secret` creates the secret of such a link: it goes into an e-mail and
  nowhere else, least of all into a response to the client that placed the order.
"""

from __future__ import annotations

from enum import StrEnum


class Identity(StrEnum):
    """Who vouches for the owner of an order; the value of `customer_order.identity`."""

    TYPED = "typed"
    PROVEN = "proven"
    BY_HUB = "hub"
