"""Personal data of one person: export, erasure and retention."""
