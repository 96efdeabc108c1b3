"""What happened, told to plugins after the commit: one job for each plugin and event."""
