"""Writes the first version of a new plugin, which installs and works."""
