"""Documents and their append-only revisions; the only package that imports sqlalchemy."""
