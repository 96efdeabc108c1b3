"""What every request over HTTP passes: bounds, origins, language, compression."""
