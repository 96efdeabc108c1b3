"""How much a partner's word may cost an enterprise before a person decides."""
