"""Signed statements of what producers and resellers offer: made, verified, and kept as long as orders name them."""
