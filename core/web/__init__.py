"""The TLS settings, security headers and redirect of a web server (ST-50 to ST-56, CL-21): what they say and where they go.

Pure: text in, text out. A web server is one file with a `SERVER` and a row in `servers`.
"""
