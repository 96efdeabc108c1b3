"""Catalogues across instances: a producer's goods are shown to the remote hubs that it has granted, and to no other."""
