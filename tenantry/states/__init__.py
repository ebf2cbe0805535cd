"""The states that the engine keeps: read, written, and what is in them.

`tree` has a backend's keys and `layout` says what is at each. On them `store` reads and writes states, `locks` whose turn
it is, and `history` what was applied last. What a state says is pure: `apps` and `state` read it, `deployments` cuts it
apart and puts such parts together.
"""
