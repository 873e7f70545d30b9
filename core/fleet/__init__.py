"""A fleet of boxes that is coordinated by etcd: etcd's gateway, the election, the entries, and their encryption.

Nothing here is imported if the configuration has no `[fleet]` section.
"""
