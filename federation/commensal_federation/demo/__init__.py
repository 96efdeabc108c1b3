"""The demo of trade: a producers' instance and two regional hubs, as processes of their own."""
