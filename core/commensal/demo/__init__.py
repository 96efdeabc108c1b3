"""The demo region: invented producers, hubs and people, drawn from a seed, so that everybody sees the same one."""
