"""Where goods are and go to, how far that is by road, and what a load takes; the stops of a trip in their order."""
