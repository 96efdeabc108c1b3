"""Reports: what they are, how they are run over a snapshot, and how they are written."""
