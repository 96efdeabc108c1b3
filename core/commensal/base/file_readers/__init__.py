"""Files of strangers are read by processes of their own: bounded in time, memory and number, in fair turns."""
