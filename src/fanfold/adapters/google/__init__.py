"""The google backend: Firestore, Pub/Sub, Cloud Tasks, GCS, Secret Manager."""
