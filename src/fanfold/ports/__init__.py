"""What fanfold asks of the outside world, and nothing about who provides it.

Each docstring lists the port's promises; ``tests/contracts/`` checks each one against every
adapter under the same name. An adapter is finished when its port's contract passes.
"""
