"""The states that the engine keeps: read, written, and what is in them.

`tree` reads and writes a backend's keys, and `layout` says what is at each. `store` is what other rooms use: states,
locks (`locks`) and last updates (`history`). `apps` and `state` say what is in a state. `deployments` cuts one apart by
its apps and joins such parts. These three are pure.
"""
