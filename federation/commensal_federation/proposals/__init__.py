"""A producer opens one sale, and every hub that it has granted gets it: as a proposal, or by itself."""
