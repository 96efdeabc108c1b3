"""Pairing: two operators become sure of each other by a link and six digits, in place of forty digits read aloud."""
