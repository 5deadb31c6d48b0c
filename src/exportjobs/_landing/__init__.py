"""From a finished job's artifacts to files that are whole, verified and in their place."""
