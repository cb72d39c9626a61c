# The ledger. Indexes and the collections that expire are what the Firestore adapter says they are.

locals {
  indexes_file = "${local.google_adapter}/firestore_indexes.json"
  firestore    = fileexists(local.indexes_file) ? jsondecode(file(local.indexes_file)) : {}

  indexes = {
    for index in try(local.firestore.indexes, []) :
    "${index.collectionGroup} by ${join(", ", [for field in index.fields : field.fieldPath])}" => index
  }

  # Subcollections are not deleted with their document: each expires by itself. A document without
  # the field never expires.
  expiring = toset(concat(
    [for each in try(local.firestore.fieldOverrides, []) : each.collectionGroup if try(each.ttl, false)],
    fileexists(local.indexes_file) ? [] : ["fanfold_runs", "collectors", "answers", "late"],
  ))
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
