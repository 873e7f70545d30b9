"""Interfaces of DNS vendors as tests see them: strict fakes, each with a zone full of records that are not ours."""
