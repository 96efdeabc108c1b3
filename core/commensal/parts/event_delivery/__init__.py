"""Jobs that tell plugins about events, and the search for sales that have opened."""
