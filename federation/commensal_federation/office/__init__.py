"""Pages of the federation in the office: for operators, and for the people of producers and hubs."""
