"""The wizard that issues a certificate: names, proof, issuer and key, service, check, issue."""

from tui.screens.issue.wizard import IssueScreen

__all__ = ["IssueScreen"]
