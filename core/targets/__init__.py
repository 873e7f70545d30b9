"""Services that a lineage is deployed to: their files, their commands, and what they serve.

`pair` switches the files of one target and can always restore the previous ones, `service` runs the service's own test and reload,
`probe` checks what is served afterwards. The transaction over all targets of a lineage is a workflow (`core.workflows.deploying`).
"""
