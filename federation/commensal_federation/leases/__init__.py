"""Stock that travels: a hub of another instance holds units of a producer's lot, and alone may sell them.

A lease joins one lot and one peer. Each side keeps its own counts, and messages carry totals, never differences, so a
message that arrives late, twice or out of order does no harm. The passing of time returns nothing: a lender frees lent
units only when the holder reports, signed, that it has returned them, or when the producer takes them back by force.

    where the goods are:   on hand  =  free + reserved + lent
    where they are sold:   granted  =  free + reserved + sold + returned
"""
