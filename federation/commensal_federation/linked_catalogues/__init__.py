"""Goods of distant platforms that speak DFC and are not peers: linked by their address, and kept as they are there."""
