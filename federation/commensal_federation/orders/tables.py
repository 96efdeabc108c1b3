"""Tables of orders between instances, the same on both sides."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text, UniqueConstraint

from commensal import DERIVED, PERSONAL, Exact, Flag, Json, Time, Whole, append_only, checked_in, metadata, untraced

federation_order = Table(
    "federation_order",
    metadata,
    Column("id", Text, primary_key=True),
    Column("iri", Text, nullable=False, unique=True),  # at the buyer
    Column("role", Text, nullable=False),
    Column("peer_id", Text, nullable=False),
    Column("enterprise_id", Text, nullable=False, index=True),  # ours: the hub, or the producer
    Column("other_iri", Text, nullable=False),
    Column("other_name", Text, nullable=False),
    Column("session_id", Text, nullable=False),  # buyer: the sale, or the order that is passed on
    Column("session_iri", Text, nullable=False),
    Column("session_name", Text, nullable=False),
    Column("closes_at", Time),
    Column("begins_at", Time),  # of the distribution
    Column("currency", Text, nullable=False),
    Column("includes_vat", Flag, nullable=False),  # in the prices
    Column("state", Text, nullable=False),  # DFC OrderState
    Column("rev", Whole, nullable=False),  # number of the buyer's last message
    Column("answer", Whole, nullable=False),  # number of the supplier's last answer
    Column("names", Whole, nullable=False, server_default="0"),  # `rev` in which names last changed; 0: there are none
    Column("names_digest", Text, nullable=False, server_default="", info=DERIVED),  # at the buyer, of the sent list
    Column("owed", Whole),  # minor units: what the hub says that it owes for what it got; null: it has not said
    Column("receipt", Text, nullable=False, server_default=""),  # what the supplier says to that
    Column("objection", Text, nullable=False, server_default=""),  # why it is disputed
    Column("called_off", Flag, nullable=False, server_default="0"),  # by the buyer; the supplier has not agreed
    Column("settled_from", Time),  # the distribution, as it was when the order became complete
    Column("created_at", Time, nullable=False),
    Column("changed_at", Time, nullable=False, info=DERIVED),
    UniqueConstraint("role", "enterprise_id", "other_iri", "session_iri"),
    Index("ix_federation_order_peer", "peer_id", "state"),
    checked_in("role", ("buyer", "supplier")),
    checked_in("state", ("Held", "Complete", "Cancelled")),
    sqlite_strict=True,
)

federation_order_line = Table(
    "federation_order_line",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("item_iri", Text, primary_key=True),  # at the supplier
    Column("product_id", Text, nullable=False),  # ours: the product, or its copy
    Column("name", Text, nullable=False),
    Column("offer_iri", Text, nullable=False),
    Column("rev", Whole, nullable=False),  # of the item, when it was first ordered here
    Column("price", Whole, nullable=False),  # minor units, for one piece
    Column("vat_rate", Exact, nullable=False),  # percent
    Column("quantity", Whole, nullable=False),  # pieces ordered
    Column("answer", Text, nullable=False),
    Column("confirmed", Whole),  # pieces that will be delivered; null: no answer yet
    Column("reason", Text, nullable=False),
    Column("final_quantity", Exact),  # by the supplier's scales, for all pieces, in `unit`
    Column("unit_quantity", Exact, nullable=False),  # net content of one piece …
    Column("unit", Text, nullable=False),  # … in this DFC measure
    Column("doubt", Text, nullable=False, server_default=""),  # at the supplier: why a person has to confirm it
    Column("statement", Text, nullable=False, server_default="", index=True),  # name of the supplier's, of `rev`
    Column("received", Whole),  # pieces that the hub got, as it says; null: it has not said
    Column("received_quantity", Exact),  # by the hub's scales, for all of them, in `unit`
    Column("received_amount", Whole),  # minor units that the hub owes for them
    Column("ordered_amount", Whole),  # of all pieces ordered, in minor units, at several prices; null: all at `price`
    Column("number", Whole, nullable=False, server_default="0"),  # its place in the order, for good
    Column("wanted", Whole),  # pieces that the buyer wants now; null: `quantity`
    CheckConstraint("quantity >= 0", name="quantity_not_negative"),
    checked_in("answer", ("", "confirmed", "shortened", "refused")),
    sqlite_strict=True,
)

# Append-only: what each side has said of money since the order is complete. No foreign key: what was said stays where
# the order has moved away with its supplier.
federation_order_fact = Table(
    "federation_order_fact",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("number", Whole, primary_key=True),  # from 1
    Column("kind", Text, nullable=False),
    Column("said_by", Text, nullable=False),
    Column("rev", Whole, nullable=False),
    Column("answer", Whole, nullable=False),
    Column("line", Whole, nullable=False),  # number of the line; 0: the whole order
    Column("pieces", Whole),
    Column("weight", Exact),  # of all pieces, in the line's unit
    Column("amount", Whole),  # minor units
    Column("reason", Text, nullable=False),
    Column("at", Time, nullable=False),
    checked_in("kind", ("ordered", "answered", "delivered", "claimed", "agreed")),
    checked_in("said_by", ("hub", "producer")),
    sqlite_strict=True,
    info=untraced("it is a journal"),
)
append_only(federation_order_fact)

# At the supplier: how much of a line each of the hub's customers ordered who agreed to be named here.
federation_order_name = Table(
    "federation_order_name",
    metadata,
    Column("order_id", Text, ForeignKey("federation_order.id", ondelete="CASCADE"), primary_key=True),
    Column("item_iri", Text, primary_key=True),
    Column("place", Whole, primary_key=True),
    Column("name", Text, nullable=False, info=PERSONAL),
    Column("quantity", Whole, nullable=False),  # pieces
    sqlite_strict=True,
    info=untraced("it is what the hub says at the moment, and goes with the next word of it"),
)

# The newest OrderUpdate and OrderAnswer of an order, as they were signed: messages themselves are kept for 400 days.
federation_order_message = Table(
    "federation_order_message",
    metadata,
    Column("order_id", Text, ForeignKey("federation_order.id", ondelete="CASCADE"), primary_key=True),
    Column("type", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("key_version", Whole, nullable=False),  # of its sender's key set, by which it was verified
    Column("at", Time, nullable=False),  # when it was sent, or received
    checked_in("type", ("OrderUpdate", "OrderAnswer")),
    sqlite_strict=True,
    info=untraced("it is signed, and no change of it would count"),
)

# What was signed about an order of an enterprise that has moved to another instance since, as it was at that moment.
federation_moved_order = Table(
    "federation_moved_order",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, nullable=False, index=True),
    Column("iri", Text, nullable=False),  # at the buyer
    Column("items", Json, nullable=False),  # [[item's IRI, name of its statement], …], of each line
    Column("messages", Json, nullable=False),  # the rows of federation_order_message
    sqlite_strict=True,
    info=untraced("it is signed, and no change of it would count"),
)

federation_moved_order_statement = Table(
    "federation_moved_order_statement",
    metadata,
    Column("order_id", Text, ForeignKey("federation_moved_order.id", ondelete="CASCADE"), primary_key=True),
    Column("statement", Text, primary_key=True, index=True),
    sqlite_strict=True,
    info=untraced("it is signed, and no change of it would count"),
)

# Cuts to customers' orders of pieces that will not be delivered, each with the refund owed.
federation_cut = Table(
    "federation_cut",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, nullable=False, server_default=""),  # the hub
    Column("order_id", Text, nullable=False),  # the hub's, at a producer of another instance or at a linked platform
    Column("item_iri", Text, nullable=False),
    Column("customer_order_id", Text),  # null: a person has to choose the orders
    Column("pieces", Whole, nullable=False),
    Column("owed", Whole, nullable=False),  # minor units that the customer has paid too much, after this
    Column("at", Time, nullable=False),
    Column("settled_at", Time),
    Column("ordered", Whole),  # pieces that customers had ordered then, where a person has to decide
    Index("ix_federation_cut_order", "order_id", "item_iri"),
    sqlite_strict=True,
)

# Queue of sales and incoming orders whose sums are to be sent again.
federation_order_due = Table(
    "federation_order_due",
    metadata,
    Column("kind", Text, primary_key=True),  # "session", or "order" for one that is passed on
    Column("id", Text, primary_key=True),
    Column("at", Time, nullable=False),
    checked_in("kind", ("session", "order")),
    sqlite_strict=True,
    info=untraced("a note to self"),
)
