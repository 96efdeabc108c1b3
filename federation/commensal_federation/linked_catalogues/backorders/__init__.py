"""Orders at linked platforms, which speak DFC and are not peers: one for each sale and link, in whole cases.

They are sent with retries and without a lock, and customers' orders are cut when the platform delivers less.
"""
