"""Services that are there already: found, and taken over as targets."""
