"""A second implementation of `commensal-fed/1`, written from federation/README.md and federation/MESSAGES.md.

It is a hub and a producer without pages or a database. The hub joins, follows catalogues, leases, orders and follows
moves; the producer grants, lends and answers. Nothing of Commensal is imported, only libraries that others wrote, so
that a fault of the pages or of Commensal shows. Whoever writes another implementation may begin by reading it:
`signing`, then `instance`, then `hub` and `producer`.

It leaves out what an instance needs that lives long or has many peers: limits on sizes, times and counts; sending again
what did not arrive; backups of its own; several sales and products; fingerprints, which two operators compare.
"""
