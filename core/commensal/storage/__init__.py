"""What is kept, and the work that a commit causes: the database and the job queue."""
