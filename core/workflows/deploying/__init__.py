"""A stored version onto the services that use it, all or none, and back again after a failure or a kill."""
