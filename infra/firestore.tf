# The ledger. firestore_indexes.json, beside the adapter and in Firebase's form, says what expires,
# what is not indexed, and which queries need an index of several fields.

locals {
  firestore = jsondecode(file("${path.module}/../src/fanfold/adapters/google/ledger/firestore_indexes.json"))

  # Only collections at the top have the prefix; those below a run are called alike everywhere.
  fields = {
    for each in local.firestore.fieldOverrides : "${each.collectionGroup}.${each.fieldPath}" => {
      collection = "${startswith(each.collectionGroup, "fanfold_") ? module.shape.prefix : ""}${each.collectionGroup}"
      field      = each.fieldPath
      expires    = try(each.ttl, false)
    }
  }
  indexes = {
    for each in local.firestore.indexes :
    "${each.collectionGroup} by ${join(", ", [for field in each.fields : field.fieldPath])}" => {
      collection  = "${startswith(each.collectionGroup, "fanfold_") ? module.shape.prefix : ""}${each.collectionGroup}"
      query_scope = each.queryScope
      fields      = each.fields
    }
  }
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

  # A database cannot move: another location would mean another database, and the ledger lost to sight.
  lifecycle {
    ignore_changes = [location_id]

    postcondition {
      condition     = self.location_id == coalesce(var.firestore.location, var.region)
      error_message = "The database is in ${self.location_id} and stays there. Write firestore = { location = \"${self.location_id}\" }; functions may be in another region."
    }
  }

  depends_on = [google_project_service.main]
}

# A time to live is garbage collection only: Google deletes what expired within about a day, and
# shows it until then. Nobody searches these fields, so none has an index: they are long, or an index
# over ever-growing times would be a hot spot.
resource "google_firestore_field" "main" {
  for_each = local.fields

  project    = var.project_id
  database   = "(default)"
  collection = each.value.collection
  field      = each.value.field

  dynamic "ttl_config" {
    for_each = each.value.expires ? [1] : []
    content {}
  }

  index_config {}

  depends_on = [google_firestore_database.main]
}

resource "google_firestore_index" "main" {
  for_each = local.indexes

  project     = var.project_id
  database    = "(default)"
  collection  = each.value.collection
  query_scope = each.value.query_scope

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
