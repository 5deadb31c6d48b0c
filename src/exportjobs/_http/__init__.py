"""The way to a vendor and back: sign in, send, repair what broke, and read what an answer means."""
