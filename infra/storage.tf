# Two buckets: what is deployed, and the reports.

resource "google_storage_bucket" "bundles" {
  project                     = var.project_id
  location                    = var.region
  name                        = "${var.project_id}-${module.shape.prefix}fanfold-bundles"
  labels                      = var.labels
  public_access_prevention    = "enforced"
  uniform_bucket_level_access = true

  depends_on = [google_project_service.main]
}

# The hash is in the name: other content is another object, and only that deploys a function anew.
resource "google_storage_bucket_object" "bundle" {
  for_each = module.shape.functions

  bucket = google_storage_bucket.bundles.name
  name   = "${each.key}/bundle-${filemd5("${local.bundles_folder}/${each.key}.zip")}.zip"
  source = "${local.bundles_folder}/${each.key}.zip"

  lifecycle {
    precondition {
      condition     = local.bundles.config_sha256 == filesha256(local.config_file)
      error_message = "The bundles hold another configuration than ${local.config_file}: run make bundle."
    }
    precondition {
      condition     = local.bundles.bundles[each.key].sha256 == filesha256("${local.bundles_folder}/${each.key}.zip")
      error_message = "${each.key}.zip is not the one that make bundle wrote: run it again."
    }
  }
}

resource "google_storage_bucket" "reports" {
  count = module.shape.report_bucket == null ? 0 : 1

  project                     = var.project_id
  location                    = var.region
  name                        = module.shape.report_bucket
  labels                      = var.labels
  public_access_prevention    = "enforced"
  uniform_bucket_level_access = true

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = module.shape.keep_days
    }
  }

  depends_on = [google_project_service.main]
}
