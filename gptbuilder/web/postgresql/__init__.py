"""Django's PostgreSQL backend, with a pool that hands out connections at no cost."""
