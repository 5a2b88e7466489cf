"""Who a person is: the user, their sign-in, their language and appearance.

Offers `models.User`, and `sign_in_links` for the first administrator.
"""
