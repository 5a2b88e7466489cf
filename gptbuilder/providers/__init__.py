"""Which language models there are: providers an administrator edits, with the environment as the default.

Offers `entries.default_entry()`, `entries.entry_for(name)`, `entries.offers()`, and the pages under /administration/.
"""
