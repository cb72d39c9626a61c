# The ledger. Its queries need single-field indexes only, which Firestore keeps by itself; composite
# ones are made from firestore_indexes.json beside the adapter (Firebase's form), once there is one.

locals {
  indexes_file = "${path.module}/../src/fanfold/adapters/google/firestore_indexes.json"
  indexes = {
    for index in fileexists(local.indexes_file) ? jsondecode(file(local.indexes_file)).indexes : [] :
    "${index.collectionGroup} by ${join(", ", [for field in index.fields : field.fieldPath])}" => index
  }

  # Subcollections are not deleted with their document: each expires by itself. What a collector did
  # last (fanfold_state) is kept.
  expiring = toset([
    "${module.shape.prefix}fanfold_dead_letters",
    "${module.shape.prefix}fanfold_runs",
    "answers",
    "collectors",
    "late",
    "manifest",
    "marks",
  ])
}

# Destroying fanfold leaves the ledger: it is the one thing here that cannot be made again.
resource "google_firestore_database" "main" {
  count = var.firestore.create ? 1 : 0

  project                 = var.project_id
  name                    = "(default)"
  location_id             = coalesce(var.firestore.location, var.region)
  type                    = "FIRESTORE_NATIVE"
  concurrency_mode        = "PESSIMISTIC"
  delete_protection_state = "DELETE_PROTECTION_ENABLED"
  deletion_policy         = "ABANDON"

  depends_on = [google_project_service.main]
}

# Garbage collection only: Google deletes what expired within about a day, and shows it until then.
resource "google_firestore_field" "expires_at" {
  for_each = local.expiring

  project    = var.project_id
  database   = "(default)"
  collection = each.key
  field      = "expires_at"

  ttl_config {}

  # Nobody asks for it, and an index over ever-growing times is a hot spot.
  index_config {}

  depends_on = [google_firestore_database.main]
}

resource "google_firestore_index" "main" {
  for_each = local.indexes

  project     = var.project_id
  database    = "(default)"
  collection  = each.value.collectionGroup
  query_scope = try(each.value.queryScope, "COLLECTION")

  dynamic "fields" {
    for_each = each.value.fields
    content {
      field_path   = fields.value.fieldPath
      order        = try(fields.value.order, null)
      array_config = try(fields.value.arrayConfig, null)
    }
  }

  depends_on = [google_firestore_database.main]
}
