"""Hooks of plugins: their contracts, the dispatcher that calls them, and the loading of plugins."""
