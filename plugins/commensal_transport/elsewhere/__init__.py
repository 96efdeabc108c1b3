"""Transport between instances: trips and prices elsewhere, bookings there, and one statement that all homes compare.

The carrier's home is the only writer of room. Every message says the whole state of its subject and has a number; one
with a lower number than the newest is late, and ignored. The README of the plugin has each type with an example.

Only `hook.message_types` and the plugin's jobs import this package, both only where the federation is enabled.
"""
