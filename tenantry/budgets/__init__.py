"""What the clouds let an organization ask, shared by all machines: one bucket of tokens in the catalog.

- `bucket` is the row in the catalog: what is taken from it, and what a 429 does to it.
- `rates` says how fast it fills, so that no minute has more than a cloud allows.
- `wallet` is the file in which the Neon plugins of a machine find the tokens that were drawn for them.
- `drawing` draws them, in a thread of a command, for as long as it has an engine at work.

Aura is asked by this process itself, which takes its tokens one by one.
"""
