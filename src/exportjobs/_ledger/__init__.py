"""What was asked for, accepted and landed, written down so that a crash forgets nothing."""
