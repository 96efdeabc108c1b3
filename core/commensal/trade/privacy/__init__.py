"""What an instance keeps of one person: handed over to them, and forgotten when it is time."""
