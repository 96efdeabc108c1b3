"""Which instance is an enterprise's home, and since which move."""
