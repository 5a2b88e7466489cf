"""Makes and runs GPTs: the project package and the parent of its apps."""

__version__ = "0.1.0"
