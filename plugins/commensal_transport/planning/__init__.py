"""Rounds that a hub has planned for what comes to it, and the solvers that plan them."""
