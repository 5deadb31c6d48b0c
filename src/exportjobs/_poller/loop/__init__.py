"""An export's life, one module per stage: recover, submit, poll, poll_list, land."""
