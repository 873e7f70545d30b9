"""The TLS settings, security headers and redirect of a web server (ST-50 to ST-56, CL-21): their content and their location.

Pure: text in, text out. A web server is one file with a `SERVER` and a row in `servers`.
"""
