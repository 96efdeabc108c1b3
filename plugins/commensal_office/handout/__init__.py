"""Pages of the hand-out and of packing, on paper, in a browser and on a telephone without a network."""
