"""The record of exports submitted, jobs accepted and files landed, which survives a crash."""
