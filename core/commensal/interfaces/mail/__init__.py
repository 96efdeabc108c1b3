"""E-mails: what they say, how they are written, and how they leave."""
