"""What an instance knows of its backups: which were due and done, and which lie in a folder."""
