"""Orders between instances: one for each sale of a hub and each producer. An order holds the sums of what customers
ordered, and nothing about customers but the names of those who agreed to it.

The hub (the buyer) decides what is ordered, the producer (the supplier) what it will deliver. Each side numbers its own
messages and the highest number counts, so messages may arrive late, twice or out of order.
"""
