"""Where things belong: every GPT, thread and file is in a workspace; each person has a personal one.

Offers `models.Workspace`, `Workspace.objects.personal(user)`, `models.Membership`.
"""
