"""Health checks and metrics, so that operators can monitor an instance."""
