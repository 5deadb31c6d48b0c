"""HTTP: signing in, sending, retrying, and reading what an answer means."""
