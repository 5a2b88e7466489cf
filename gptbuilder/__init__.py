"""Makes and runs GPTs: the project package and the parent of its apps."""
