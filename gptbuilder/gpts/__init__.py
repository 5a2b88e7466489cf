"""What a GPT is: its identity, its one draft, its frozen versions, its pictures, and who may see it.

Offers `models`, `drafts.apply`, `versions.snapshot / go_live / restore`, `access`, `pictures`, `builtin`.
"""
