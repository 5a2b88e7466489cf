"""How much may be used: allowances that higher layers write, and limits that a turn asks.

Offers `limits.check_message`, `limits.LimitReached`, `models.Allowance`.
"""
