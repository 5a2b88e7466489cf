"""What a GPT can do in a run, and the model that does it.

Offers `registry.equipment(version, context)` and `models.entry()`.
"""
