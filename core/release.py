"""The product's version. In a module of its own because a scheduled run with nothing to do imports hardly anything else."""

VERSION = "0.1.0"
