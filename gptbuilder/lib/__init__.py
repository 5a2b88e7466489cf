"""Small pieces that everything may use and that know nobody: identifiers, sealed secrets, the way to addresses
that people give."""
