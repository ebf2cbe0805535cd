"""After a failure: what the states, the locks, the registry and the cloud say, where they disagree, and what settles it.

Data flows one way: `store` and `cloud` read, `state` and `locks` give it meaning, `judging` compares, `settling` acts.
"""
