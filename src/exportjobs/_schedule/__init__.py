"""When to poll and how much an account may do: decisions, and the one module with a clock."""
