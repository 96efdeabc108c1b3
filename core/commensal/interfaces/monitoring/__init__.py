"""How an operator sees that an instance is well, without looking at it: its health, and figures over time."""
