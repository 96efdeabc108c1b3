"""Federation (registered like any plugin)."""
