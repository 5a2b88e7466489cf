"""The way to addresses that people give: HTTP that reaches the public internet and what an allow-list adds.

`client.Client` fetches, `destinations.check` judges a URL without connecting, `destinations.AllowList` names
what else may be reached, `errors` says why nothing was fetched.
"""
