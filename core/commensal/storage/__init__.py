"""The database, and the queue of jobs that a commit causes."""
