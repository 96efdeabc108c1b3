"""For authors of plugins: the page of hooks, the stub of their decorators, and the template of a new plugin."""
