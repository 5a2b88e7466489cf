"""The real services a new installation runs on: PostgreSQL, Redis (Valkey) and a small local model, all from pip.

For others: `services.start(folder)` (PostgreSQL and Redis for tests) and `model_status.read_status(path)` (for pages).
No Django in here; `gptbuilder/__main__.py` puts the parts together.
"""
