"""Several boxes, coordinated by etcd: its gateway, the election, what is kept there, and how it is sealed.

Nothing here is imported where the configuration has no `[fleet]`.
"""
