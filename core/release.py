"""The product's version. A separate module, because a scheduled run with nothing to do imports hardly anything else."""

VERSION = "0.1.0"
