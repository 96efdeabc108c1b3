"""Pages about people: customers and their groups, the team and its roles."""
