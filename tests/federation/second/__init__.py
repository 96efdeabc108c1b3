"""A second implementation of `commensal-fed/1`, written from federation/README.md and federation/MESSAGES.md.

It is a hub without pages or a database: it joins, follows catalogues, leases, orders and follows moves. It imports
nothing of Commensal, only libraries that others wrote, so that a fault of the pages or of Commensal shows here. Whoever
writes another implementation may begin by reading it: `signing`, then `instance`, then `hub`.

It leaves out what an instance needs that lives long or has many peers: limits on sizes, times and counts; sending again
what did not arrive; backups of its own; several sales and hubs; fingerprints, which two operators compare.
"""
