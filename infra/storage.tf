# What is deployed (a bucket of bundles, a repository of the images that are built of them), and the
# bucket of reports.

resource "google_storage_bucket" "bundles" {
  project                     = var.project_id
  location                    = local.bucket_location
  name                        = "${var.project_id}-${module.shape.prefix}fanfold-bundles"
  labels                      = var.labels
  public_access_prevention    = "enforced"
  uniform_bucket_level_access = true

  # A bucket cannot move, and what is in it would be lost.
  lifecycle {
    ignore_changes = [location]

    postcondition {
      condition     = upper(self.location) == upper(local.bucket_location)
      error_message = "The bucket ${self.name} is in ${self.location} and stays there. Write bucket_location = \"${self.location}\"; functions may be in another region."
    }
    postcondition {
      condition     = var.project_number == null || tostring(self.project_number) == var.project_number
      error_message = "The number of ${var.project_id} is ${self.project_number}, not ${coalesce(var.project_number, 0)}: correct project_number."
    }
  }

  depends_on = [google_project_service.main]
}

# The hash is in the name: other content is another object, and only that deploys a function anew.
resource "google_storage_bucket_object" "bundle" {
  for_each = local.bundled

  bucket = google_storage_bucket.bundles.name
  name   = local.bundle_objects[each.key]
  source = "${local.bundles_folder}/${each.key}.zip"

  lifecycle {
    # The old bundle goes last: an apply that stops midway leaves every function with its source.
    create_before_destroy = true

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
  # From the file and from no resource: what a function is built of must be known to the plan, or the
  # provider stops in the middle with "inconsistent final plan".
  bundle_objects = { for key in local.bundled : key => "${key}/bundle-${filemd5("${local.bundles_folder}/${key}.zip")}.zip" }

  # Known before anything is made, so that a plan can be read.
  image_repository = "projects/${var.project_id}/locations/${var.region}/repositories/${google_artifact_registry_repository.images.repository_id}"
}

resource "google_storage_bucket" "reports" {
  count = module.shape.report_bucket == null ? 0 : 1

  project                     = var.project_id
  location                    = local.bucket_location
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

  lifecycle {
    ignore_changes = [location, name]

    postcondition {
      condition     = self.name == module.shape.report_bucket
      error_message = "The reports are in ${self.name}, and another name would be another bucket. To leave them there and begin a new one: terraform state rm 'google_storage_bucket.reports[0]', then apply."
    }
    postcondition {
      condition     = upper(self.location) == upper(local.bucket_location)
      error_message = "The bucket of reports is in ${self.location} and stays there. Write bucket_location = \"${self.location}\"; functions may be in another region."
    }
  }

  depends_on = [google_project_service.main]
}
