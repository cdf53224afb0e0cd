"""Where data lives: objects, logs, metrics, role credentials. moto is a library here."""
