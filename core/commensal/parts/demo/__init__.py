"""The demo region: invented producers, hubs and people, drawn from a seed, so that it is the same for everybody."""
