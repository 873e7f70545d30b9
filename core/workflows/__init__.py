"""The use cases: the only place where several parts of the engine meet. One file for each."""
