"""fanfold as it stands on Google Cloud, on one machine: ``make emulators-run``.

The two official emulators, the three functions as functions-framework serves them, the example
collectors, a delivery bridge in place of push subscriptions, and a timer in place of Cloud
Scheduler. It is made for people who change fanfold and for the tests that start real processes; no
function imports it.
"""
