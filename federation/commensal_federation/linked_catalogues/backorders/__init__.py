"""Orders at distant platforms that speak DFC and are no peers: one for each sale and link, in whole cases, told with
retries and without a lock, and followed by customers' orders when less comes."""
