"""Running an installation: figures for a monitor and for the operator's page, error reports, backup and restore.

Reads what the other packages have recorded; nothing below knows it.
"""
