# What is deployed (a bucket of bundles, a repository of the images that are built of them), and the
# bucket of reports.

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

# Of our own: in a fresh project three functions at once would race to make the common one. Google
# builds the images, so an old one can always be built again from its bundle.
resource "google_artifact_registry_repository" "images" {
  project       = var.project_id
  location      = var.region
  repository_id = "${module.shape.prefix}fanfold"
  description   = "Images of the functions, built from the bundles."
  format        = "DOCKER"
  labels        = var.labels

  cleanup_policies {
    id     = "the last five of each function stay"
    action = "KEEP"
    most_recent_versions {
      keep_count = 5
    }
  }
  cleanup_policies {
    id     = "older ones go after 30 days"
    action = "DELETE"
    condition {
      older_than = "2592000s"
    }
  }

  depends_on = [google_project_service.main]
}

locals {
  # Known before anything is made, so that a plan can be read.
  image_repository = "projects/${var.project_id}/locations/${var.region}/repositories/${google_artifact_registry_repository.images.repository_id}"
}

resource "google_storage_bucket" "reports" {
  count = module.shape.report_bucket == null ? 0 : 1

  project                     = var.project_id
  location                    = var.region
  name                        = module.shape.report_bucket
  labels                      = var.labels
  public_access_prevention    = "enforced"
  uniform_bucket_level_access = true

  # Nobody of ours may change a report. If somebody does, what stood there is kept for a month.
  versioning {
    enabled = true
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age        = module.shape.keep_days
      with_state = "LIVE"
    }
  }
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 30
      with_state                 = "ARCHIVED"
    }
  }

  depends_on = [google_project_service.main]
}
