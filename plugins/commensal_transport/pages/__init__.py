"""Pages of transport in the office."""
