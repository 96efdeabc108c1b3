"""Tables of transport: vehicles, trips with their stops, edited loads, bookings, what happened, and statements.

A trip whose `peer_id` is set is a copy: its home is another instance, which alone says what becomes of it and of its
bookings. A copy has no stops.

Room is counted on each stop: what is free on the leg behind it. A check of the database keeps it from falling below
zero, so no leg is overbooked whatever the code does.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, PrimaryKeyConstraint, Table, Text, text

from commensal import ON_BEHALF, Exact, Flag, Json, Time, Whole, append_only, metadata, untraced

# The goods of a sale are carried once.
_CARRIED = text("state IN ('ordered', 'confirmed', 'picked_up', 'delivered')")

transport_vehicle = Table(
    "transport_vehicle",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("crates", Whole, nullable=False),  # of 600 × 400 mm
    Column("kg", Whole, nullable=False),
    Column("cold", Whole, nullable=False),  # crates among them that it can cool
    Column("keeping", Text, nullable=False),  # class of its cold places
    Column("cents_per_km", Whole, nullable=False),
    Column("archived_at", Time),
    Column("version", Whole, nullable=False),
    CheckConstraint("crates > 0 AND kg > 0 AND cold >= 0 AND cold <= crates", name="has_room"),
    CheckConstraint("cents_per_km >= 0", name="cost_not_negative"),
    sqlite_strict=True,
)

transport_trip = Table(
    "transport_trip",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),  # the carrier
    Column("vehicle_id", Text, ForeignKey("transport_vehicle.id"), nullable=False, index=True),
    Column("basis", Text, nullable=False),  # legal
    Column("proof", Text, nullable=False),  # what papers name for it, as it was when the trip was offered
    Column("rule", Text, nullable=False),  # that shares its cost
    Column("crates", Whole, nullable=False),  # room of the vehicle when it was chosen
    Column("kg", Whole, nullable=False),
    Column("cold", Whole, nullable=False),
    Column("keeping", Text, nullable=False),
    Column("cents_per_km", Whole, nullable=False),
    Column("toll", Whole, nullable=False),  # cents
    Column("stop_price", Whole, nullable=False),  # of a posted tariff, cents
    Column("crate_price", Whole, nullable=False),
    Column("starts_at", Time, nullable=False),
    Column("ends_at", Time, nullable=False),
    Column("book_until", Time, nullable=False),  # until then bookings are taken, and cancelled for nothing
    Column("state", Text, nullable=False),  # open, driven, cancelled
    Column("version", Whole, nullable=False),
    Column("peer_id", Text),  # of a copy: the instance that is its home
    Column("iri", Text),  # of a copy: its name there
    Column("heard", Whole, nullable=False, server_default="0"),  # of a copy: the number of the newest message about it
    Column("measured", Text, nullable=False, server_default="great-circle-1.3"),  # what measured its distances
    CheckConstraint("ends_at > starts_at", name="ends_after_start"),
    CheckConstraint("state IN ('open', 'driven', 'cancelled')", name="known_state"),
    Index("ix_transport_trip_enterprise", "enterprise_id", "starts_at"),
    Index("ix_transport_trip_open", "state", "book_until"),
    Index("ux_transport_trip_iri", "iri", unique=True),
    sqlite_strict=True,
)

# A trip that comes back: each day is a trip of its own, offered as soon as the sales that it serves have closed.
transport_series = Table(
    "transport_series",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False, index=True),
    Column("rhythm", Text, nullable=False),  # recurrence rule (RFC 5545)
    Column("vehicle_id", Text, ForeignKey("transport_vehicle.id"), nullable=False, index=True),
    Column("basis", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("toll", Whole, nullable=False),  # cents
    Column("stop_price", Whole, nullable=False),
    Column("crate_price", Whole, nullable=False),
    Column("starts_at", Time, nullable=False),  # of the next trip
    Column("ends_at", Time, nullable=False),
    Column("book_until", Time, nullable=False),
    Column("missed_at", Time),  # when the last trip that could not be offered would have started
    Column("reason", Text, nullable=False),  # code of why not
    Column("ended_at", Time),
    CheckConstraint("ends_at > starts_at", name="ends_after_start"),
    sqlite_strict=True,
)

transport_stop = Table(
    "transport_stop",
    metadata,
    Column("id", Text, primary_key=True),
    Column("trip_id", Text, ForeignKey("transport_trip.id"), nullable=False),
    Column("position", Whole, nullable=False),  # 0: where the trip starts
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False, index=True),
    Column("latitude", Exact, nullable=False),
    Column("longitude", Exact, nullable=False),
    Column("opens_at", Time, nullable=False),
    Column("closes_at", Time, nullable=False),
    Column("free_crates", Whole, nullable=False),  # on the leg behind it
    Column("free_kg", Whole, nullable=False),
    Column("free_cold", Whole, nullable=False),
    CheckConstraint("free_crates >= 0 AND free_kg >= 0 AND free_cold >= 0", name="not_overbooked"),
    Index("ix_transport_stop_trip", "trip_id", "position"),
    sqlite_strict=True,
    info=ON_BEHALF,
)

# What a supplier corrected about the load of a sale; without a row it follows the sale.
transport_need = Table(
    "transport_need",
    metadata,
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("origin", Text, nullable=False),  # the plugin that brought the sale; "": a sale of this instance
    Column("sale_id", Text, nullable=False),
    Column("crates", Whole, nullable=False),
    Column("kg", Whole, nullable=False),
    Column("own_boxes", Flag, nullable=False),
    Column("most", Whole),  # cents that its sender pays at most, who would not drive; none: they would
    PrimaryKeyConstraint("enterprise_id", "origin", "sale_id"),
    CheckConstraint("crates > 0 AND kg > 0", name="is_a_load"),
    sqlite_strict=True,
)

transport_booking = Table(
    "transport_booking",
    metadata,
    Column("id", Text, primary_key=True),
    Column("trip_id", Text, ForeignKey("transport_trip.id"), nullable=False, index=True),
    Column("sender_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("receiver_id", Text, ForeignKey("enterprise.id"), nullable=False, index=True),
    Column("origin", Text, nullable=False),
    Column("sale_id", Text, nullable=False),
    Column("crates", Whole, nullable=False),
    Column("kg", Whole, nullable=False),
    Column("cold", Whole, nullable=False),
    Column("keeping", Text, nullable=False),
    Column("own_boxes", Flag, nullable=False),
    Column("room_crates", Whole, nullable=False),  # that it takes in the van: boxes need more
    Column("pickup_id", Text, ForeignKey("transport_stop.id"), index=True),  # none: the van does not go there
    Column("delivery_id", Text, ForeignKey("transport_stop.id"), index=True),
    Column("pickup_at", Time, nullable=False),  # as confirmed
    Column("delivery_at", Time, nullable=False),
    Column("alone", Whole, nullable=False),  # cents of the sender's own drive
    Column("cap", Whole),  # cents, the most that the sender pays; none: the carrier's own goods
    Column("tariff", Whole, nullable=False),  # cents, only for a posted price
    Column("most", Whole),  # cents, as of its need
    Column("state", Text, nullable=False),
    Column("booked_at", Time, nullable=False),
    Column("version", Whole, nullable=False),
    Column("iri", Text),  # its name, if another instance has given it one
    Column("number", Whole, nullable=False, server_default="0"),  # of the newest order: what its sender wants
    Column("heard", Whole, nullable=False, server_default="0"),  # of the newest message of the carrier's home
    Column("reason", Text, nullable=False, server_default=""),  # code of a refusal
    CheckConstraint("crates > 0 AND kg > 0 AND cold >= 0", name="is_a_load"),
    CheckConstraint("cap IS NULL OR (cap >= 0 AND cap <= alone)", name="not_worse_than_alone"),
    Index("ix_transport_booking_sender", "sender_id", "pickup_at"),
    Index("ux_transport_booking_iri", "iri", unique=True),
    Index(
        "ux_transport_booking_carried",
        "sender_id",
        "origin",
        "sale_id",
        unique=True,
        sqlite_where=_CARRIED,
        postgresql_where=_CARRIED,
    ),
    sqlite_strict=True,
    info=ON_BEHALF,
)

# What happened to a booking. A mistake is corrected by another event.
transport_event = Table(
    "transport_event",
    metadata,
    Column("id", Text, primary_key=True),
    Column("booking_id", Text, ForeignKey("transport_booking.id"), nullable=False, index=True),
    Column("event", Text, nullable=False),
    Column("at", Time, nullable=False),
    Column("by_id", Text, ForeignKey("enterprise.id"), nullable=False, index=True),
    Column("crates", Whole),  # counted
    Column("celsius", Exact),  # measured
    Column("empties", Whole),  # empty crates left at the pick-up, or taken along at the delivery
    Column("note", Text, nullable=False),
    Column("noted_at", Time),  # by the clock of the telephone on which it was noted
    Column("code", Text),  # that the other side has shown
    Column("photo", Text),  # SHA-256 of a picture that belongs to it
    sqlite_strict=True,
    info=ON_BEHALF,
)
append_only(transport_event)

# What a side says that was counted, where counts at both ends of the way differ. A later word stands beside the first.
transport_count = Table(
    "transport_count",
    metadata,
    Column("id", Text, primary_key=True),
    Column("booking_id", Text, ForeignKey("transport_booking.id"), nullable=False, index=True),
    Column("side", Text, nullable=False),
    Column("number", Whole, nullable=False),  # of its words about this booking
    Column("loaded", Whole),  # crates; none: the receiver says nothing of it
    Column("unloaded", Whole),  # none: the sender says nothing of it
    Column("reason", Text, nullable=False),  # code of why it stands by its own count; "": it accepts another one
    Column("at", Time, nullable=False),
    CheckConstraint("side IN ('carrier', 'sender', 'receiver')", name="known_side"),
    CheckConstraint("loaded IS NOT NULL OR unloaded IS NOT NULL", name="says_something"),
    sqlite_strict=True,
    info=ON_BEHALF,
)
append_only(transport_count)

# What proves that goods were handed over: the hash of a secret, and the secret itself where its owner lives.
transport_code = Table(
    "transport_code",
    metadata,
    Column("booking_id", Text, ForeignKey("transport_booking.id"), nullable=False),
    Column("step", Text, nullable=False),
    Column("digest", Text, nullable=False),  # SHA-256
    Column("secret", Text),
    PrimaryKeyConstraint("booking_id", "step"),
    CheckConstraint("step IN ('pick_up', 'deliver')", name="known_step"),
    sqlite_strict=True,
    info=untraced("secrets; what they prove stands with the event"),
)

# Pictures of hand-overs, in base 64. Deleted after a month.
transport_photo = Table(
    "transport_photo",
    metadata,
    Column("booking_id", Text, ForeignKey("transport_booking.id"), nullable=False),
    Column("digest", Text, nullable=False),  # SHA-256
    Column("content", Text, nullable=False),
    Column("kept_at", Time, nullable=False),
    PrimaryKeyConstraint("booking_id", "digest"),
    sqlite_strict=True,
    info=untraced("its digest stands with the event"),
)

# What a driver noted on a telephone and what cannot have happened by what is known here: people decide.
transport_conflict = Table(
    "transport_conflict",
    metadata,
    Column("id", Text, primary_key=True),
    Column("booking_id", Text, ForeignKey("transport_booking.id"), nullable=False, index=True),
    Column("event", Text, nullable=False),
    Column("crates", Whole),
    Column("celsius", Exact),
    Column("empties", Whole),
    Column("code", Text),
    Column("note", Text, nullable=False),
    Column("noted_at", Time, nullable=False),
    Column("recorded_at", Time, nullable=False),
    Column("person_id", Text, nullable=False),  # who noted it
    Column("settled_at", Time),
    Column("settled_by", Text),  # the person who decided
    sqlite_strict=True,
    info=ON_BEHALF,
)

transport_statement = Table(
    "transport_statement",
    metadata,
    Column("trip_id", Text, ForeignKey("transport_trip.id"), primary_key=True),
    Column("content", Json, nullable=False),  # what all participants read alike
    Column("shares", Json, nullable=False),  # number and cents of each booking
    Column("digest", Text, nullable=False),
    Column("written_at", Time, nullable=False),
    Column("metres", Whole, nullable=False, server_default="0"),  # of the round, as its content says
    Column("received", Whole, nullable=False, server_default="0"),  # cents that others pay the carrier, as it says
    sqlite_strict=True,
    info=ON_BEHALF,
)

# Rounds that were proposed for what comes to a hub. They bind nobody; whoever accepts offers a trip, or books.
transport_plan = Table(
    "transport_plan",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False, index=True),  # the hub
    Column("asked_at", Time, nullable=False),
    Column("made_at", Time),
    Column("replaced_at", Time),  # by a newer plan of the hub: nobody can accept it any more
    Column("reason", Text, nullable=False),  # code of why there is no round; "": there are some, or none was made yet
    Column("metres_alone", Whole, nullable=False),  # of all who bring goods, each alone
    Column("metres_planned", Whole, nullable=False),  # if everybody accepts
    sqlite_strict=True,
    info=untraced("a proposal, which binds nobody; the trips and bookings that come of it are traced"),
)

# Goods in a proposed round: those of its driver, which have a vehicle, and of those who are to ride along.
transport_proposal = Table(
    "transport_proposal",
    metadata,
    Column("id", Text, primary_key=True),
    Column("plan_id", Text, ForeignKey("transport_plan.id"), nullable=False, index=True),
    Column("round", Whole, nullable=False),  # numbers the rounds of a plan
    Column("position", Whole, nullable=False),  # in the order in which they are loaded, the driver's first
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False, index=True),  # the sender
    Column("vehicle_id", Text, ForeignKey("transport_vehicle.id"), index=True),
    Column("basis", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("sale_id", Text, nullable=False),
    Column("starts_at", Time, nullable=False),  # of the round
    Column("ends_at", Time, nullable=False),
    Column("until", Time, nullable=False),  # until when it can be accepted
    Column("pickup_at", Time, nullable=False),
    Column("delivery_at", Time, nullable=False),
    Column("price", Whole, nullable=False),  # cents: of a guest the most, of the driver what is left if all accept
    Column("alone", Whole, nullable=False),  # cents
    Column("answer", Text, nullable=False),
    Column("trip_id", Text, ForeignKey("transport_trip.id"), index=True),  # that the driver has offered
    Column("booking_id", Text, ForeignKey("transport_booking.id"), index=True),
    CheckConstraint("answer IN ('open', 'accepted', 'declined')", name="known_answer"),
    sqlite_strict=True,
    info=untraced("a proposal, which binds nobody; the trips and bookings that come of it are traced"),
)

# ------------------------------------------------------------------------------------------------ other instances

# The price of carrying a load with a trip elsewhere, as it was asked and answered.
transport_quote = Table(
    "transport_quote",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),  # the sender
    Column("origin", Text, nullable=False),
    Column("sale_id", Text, nullable=False),
    Column("trip_id", Text, ForeignKey("transport_trip.id"), nullable=False, index=True),
    Column("number", Whole, nullable=False),  # of the newest request
    Column("crates", Whole, nullable=False),  # for which it was asked
    Column("kg", Whole, nullable=False),
    Column("own_boxes", Flag, nullable=False),
    Column("most", Whole),
    Column("asked_at", Time, nullable=False),
    Column("answered_at", Time),
    Column("code", Text, nullable=False),  # why it is not carried; "": it is
    Column("price", Whole, nullable=False),  # cents
    Column("alone", Whole, nullable=False),
    Column("pickup_at", Time),
    Column("delivery_at", Time),
    Index("ux_transport_quote", "enterprise_id", "origin", "sale_id", "trip_id", unique=True),
    sqlite_strict=True,
    info=untraced("a question and its answer, which bind nobody"),
)

# When goods are taken in by an enterprise of another instance, as its home says.
transport_place = Table(
    "transport_place",
    metadata,
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), primary_key=True),
    Column("hours", Whole, nullable=False),  # before a distribution begins
    Column("heard", Whole, nullable=False),  # number of the newest message about it; 0: none has come
    Column("asked_at", Time, nullable=False),
    sqlite_strict=True,
    info=untraced("it follows from signed messages, which are kept"),
)

# How to reach the other side of a booking that lives at another instance. Deleted two days after the trip.
transport_contact = Table(
    "transport_contact",
    metadata,
    Column("booking_id", Text, ForeignKey("transport_booking.id"), nullable=False),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False, index=True),
    Column("phone", Text, nullable=False),
    Column("access", Text, nullable=False),
    Column("asked_at", Time, nullable=False),
    Column("answered_at", Time),
    PrimaryKeyConstraint("booking_id", "enterprise_id"),
    sqlite_strict=True,
    info=untraced("it is forgotten after two days, and its home says it again"),
)

# The newest thing of each kind that was sent to a peer: what has not changed is not sent again.
transport_sent = Table(
    "transport_sent",
    metadata,
    Column("peer_id", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("subject", Text, primary_key=True),  # id here of what it is about
    Column("number", Whole, nullable=False),
    Column("digest", Text, nullable=False),
    sqlite_strict=True,
    info=untraced("it follows from what is sent"),
)

# How many prices a peer has asked for on the newest day on which it asked.
transport_asked = Table(
    "transport_asked",
    metadata,
    Column("peer_id", Text, primary_key=True),
    Column("day", Text, nullable=False),  # as in 2026-06-11, UTC
    Column("number", Whole, nullable=False),
    sqlite_strict=True,
    info=untraced("a counter that begins anew each day"),
)

# What the homes of others who took part in a round think of its statement.
transport_comparison = Table(
    "transport_comparison",
    metadata,
    Column("trip_id", Text, ForeignKey("transport_trip.id"), primary_key=True),
    Column("peer_id", Text, primary_key=True),
    Column("number", Whole, nullable=False),
    Column("digest", Text, nullable=False),
    Column("mistakes", Json, nullable=False),  # codes
    Column("at", Time, nullable=False),
    sqlite_strict=True,
    info=untraced("it follows from signed messages, which are kept"),
)

# How far it is by road between two places, as a plugin has measured it. Places are rounded to 0.0001 degrees.
transport_road = Table(
    "transport_road",
    metadata,
    Column("origin", Text, nullable=False),
    Column("destination", Text, nullable=False, index=True),
    Column("metres", Whole),  # none: there is no road
    Column("seconds", Whole),
    Column("source", Text, nullable=False),
    Column("measured_at", Time, nullable=False),
    PrimaryKeyConstraint("origin", "destination"),
    sqlite_strict=True,
    info=untraced("it follows from a map, and can be measured again"),
)
