"""Loads on a trip: quoted, booked, driven, handed over with a proof, counted, and settled by a statement."""
