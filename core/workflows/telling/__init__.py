"""What people and other programs are told at the end of a run."""
