"""OpenAPI documents as they are found, read into operations that a model can call. Pure: no Django, no network.

The way of a document: `parsing` makes a mapping of the text, `reading` goes through its operations, `arguments` gathers
what each one takes, `schemas` turns their schemas into JSON Schema, `examples` makes up an answer for a dry run.
`types` says what comes out.
"""
