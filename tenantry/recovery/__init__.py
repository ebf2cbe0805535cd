"""After a failure: what states, locks, registry and clouds say, where they disagree, and what settles it.

Data flows one way: `looking` asks the clouds and `tenantry.states`, `judging` compares, `settling` acts.
"""
