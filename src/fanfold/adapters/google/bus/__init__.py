"""The google bus: Pub/Sub, and Cloud Tasks for the job messages where it is configured."""
