"""What every page shares: request ids and logs, Markdown, template tags, language and appearance, health.

Offers `markdown.render`, `addresses.client_address`, `logs.bind_run`, `views.landing`. Imports no other app.
"""
