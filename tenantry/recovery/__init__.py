"""After a failure: what the states, the locks, the registry and the cloud say, where they disagree, and what settles it.

Data flows one way: `looking` asks the clouds and `tenantry.states`, `judging` compares, `settling` acts.
"""
