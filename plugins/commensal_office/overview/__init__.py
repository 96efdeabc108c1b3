"""Where people arrive: the choice of an enterprise, the first steps of a hub, this week, and the instance itself."""
