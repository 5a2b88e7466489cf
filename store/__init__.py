"""Lists GPTs and shares the money. Stands on `gptbuilder`, which never imports it."""
