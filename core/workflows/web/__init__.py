"""The settings of web servers: shown, applied, removed, kept in step with the certificate."""
