"""The bodies of messages, as frozen dataclasses without behaviour."""
