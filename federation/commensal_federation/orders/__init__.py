"""Orders between instances: one for each sale of a hub and each producer, summed up, without a word about shoppers but
the names of those who agreed that the producer knows them.

The hub (the buyer) speaks for what is ordered, the producer (the supplier) for what will come. Each side's newest word
counts, by its own number, so messages may come late, twice or out of order.
"""
