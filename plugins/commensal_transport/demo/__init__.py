"""The demo of transport: three farms of two instances, two hubs, and one van instead of three."""
