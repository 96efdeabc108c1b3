"""Stock that travels: a hub of another instance holds units of a producer's lot, and alone may sell them.

A lease is one lot and one peer. Each side counts what it knows, and messages carry the counts, never differences: one
that comes late, twice or out of order does no harm. Time alone gives nothing back: a lender frees what was lent only
when the holder says, signed, that it has given it back, or when the producer takes it by force.

    where the goods are:   on hand  =  free + reserved + lent
    where they are sold:   granted  =  free + reserved + sold + returned
"""
