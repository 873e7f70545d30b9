"""The use cases, one file for each: the only place where several parts of the engine are combined."""
