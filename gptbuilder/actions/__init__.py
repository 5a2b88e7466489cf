"""Outside APIs that a GPT may call, described by OpenAPI documents."""
