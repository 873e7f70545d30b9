"""Services that a lineage is deployed to: their files, their commands, and what they serve.

`pair` switches the files of one target and can always put them back, `service` runs the service's own test and reload,
`probe` looks at what is served afterwards. The transaction over all targets of a lineage is a workflow, not here.
"""
