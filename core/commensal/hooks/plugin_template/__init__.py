"""What Commensal does for those who write plugins: it writes the first version of one, that installs and works."""
