"""E-mails: their content, their rendering, and their delivery."""
