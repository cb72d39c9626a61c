"""The console: what runs, what failed and since when, as pages and as JSON.

Pages are made on the server and can be read without a script. The one script asks whether something
changed, and fetches the page again if so.
"""
