"""The only writer of state: every file below `etc`, `state` and `run` is made, switched and removed here."""
