"""The tests: unit (pure), behaviour (every engine), api, clients, cli."""
