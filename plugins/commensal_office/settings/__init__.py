"""Pages of settings: of an enterprise and of its plugins; and the trail of who changed what."""
