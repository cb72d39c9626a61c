# Who may do what. One account for each function, one for each function's pushes, one for builds.
# Every grant is a row of `grants` below or of the lists in secrets.tf; each key is its sentence.

locals {
  accounts = merge(
    { for key, each in local.functions : key => { id = each.account, is = "runs the ${replace(key, "_", " ")}" } },
    { for key, each in module.shape.functions : "to-${key}" => { id = each.push_account, is = "brings messages to the ${replace(key, "_", " ")}" } },
    { build = { id = "${module.shape.prefix}fanfold-build", is = "builds the functions" } },
    module.shape.queue == null ? {} : { tasks = { id = "${module.shape.prefix}fanfold-tasks", is = "brings Cloud Tasks to the relay" } },
  )

  # Known before anything is made, so that a plan shows who gets what.
  emails      = { for key, account in google_service_account.main : key => "${account.account_id}@${account.project}.iam.gserviceaccount.com" }
  members     = { for key, email in local.emails : key => "serviceAccount:${email}" }
  account_ids = { for key, email in local.emails : key => "projects/${var.project_id}/serviceAccounts/${email}" }

  # Of Google, not ours: it pushes, and it moves dead letters.
  pubsub_agent = "serviceAccount:service-${local.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"

  # The dispatcher finishes a run that asks nobody. The sweep repairs, so it publishes all three. A relay
  # that is done with a collector publishes the job that waited for its place. Where every job goes by
  # Cloud Tasks, nobody may publish one.
  publishes = {
    for account, topics in {
      aggregator      = ["collector-jobs", "collector-results", "run-reports"]
      callbacks       = ["collector-results"]
      collector_relay = ["collector-jobs", "collector-results"]
      console         = ["run-requests"]
      dispatcher      = ["collector-jobs", "run-reports"]
    } : account => [for topic in topics : topic if topic != "collector-jobs" || module.shape.pushes_jobs]
    if contains(keys(local.functions), account)
  }
  publishers = merge(
    merge([
      for account, topics in local.publishes : {
        for topic in topics : "${account} publishes ${topic}" => { member = local.members[account], topic = topic }
      }
    ]...),
    { for member in var.async_collector_members.publish : "${member} publishes collector-results" => { member = member, topic = "collector-results" } },
    { for member in var.operators : "${member} publishes run-requests" => { member = member, topic = "run-requests" } },
  )

  in_ledger = "resource.name == \"projects/${var.project_id}/databases/(default)\""
  in_builds = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-\") || resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.bundles.name}\")"

  # Known before anything is made, so that a plan can be read.
  stores_images = "projects/${var.project_id}/roles/${google_project_iam_custom_role.stores_images.role_id}"

  project_grants = merge(
    {
      for account in keys(local.functions) : "${account} keeps the ledger" => {
        member = local.members[account], role = "roles/datastore.user", only = local.in_ledger
      } if account != "console"
    },
    {
      for account in keys(local.console) : "${account} reads the ledger" => {
        member = local.members[account], role = "roles/datastore.viewer", only = local.in_ledger
      }
    },
    { for member in var.operators : "${member} reads and mends the ledger" => { member = member, role = "roles/datastore.user", only = local.in_ledger } },
    {
      "build writes logs"   = { member = local.members["build"], role = "roles/logging.logWriter", only = null }
      "build reads sources" = { member = local.members["build"], role = "roles/storage.objectViewer", only = local.in_builds }
      "build stores images" = { member = local.members["build"], role = local.stores_images, only = null }
    },
  )

  # Reports are made and read back, never changed and never deleted.
  report_grants = module.shape.report_bucket == null ? {} : merge(
    { for account in ["aggregator", "dispatcher"] : "${account} makes reports" => { member = local.members[account], role = "roles/storage.objectCreator" } },
    { for account in ["aggregator", "dispatcher"] : "${account} reads reports" => { member = local.members[account], role = "roles/storage.objectViewer" } },
    { for member in var.operators : "${member} reads reports" => { member = member, role = "roles/storage.objectViewer" } },
  )

  # Who calls a function, beside the pushes.
  callback_callers = { for member in var.async_collector_members.callback : "${member} calls back" => member }
  task_callers     = module.shape.queue == null ? {} : { "tasks call" = local.members["tasks"] }
}

resource "google_service_account" "main" {
  for_each = local.accounts

  project      = var.project_id
  account_id   = each.value.id
  display_name = "fanfold: ${each.value.is}"

  depends_on = [google_project_service.main]
}

# Artifact Registry has no conditions on names, so this holds in the whole project. It adds images and
# names them; it deletes none and manages nothing.
resource "google_project_iam_custom_role" "stores_images" {
  project     = var.project_id
  role_id     = "${replace(module.shape.prefix, "-", "_")}fanfold_stores_images"
  title       = "fanfold: stores images"
  description = "What a build of the functions does in Artifact Registry."
  permissions = [
    "artifactregistry.dockerimages.get",
    "artifactregistry.dockerimages.list",
    "artifactregistry.files.get",
    "artifactregistry.files.list",
    "artifactregistry.packages.get",
    "artifactregistry.packages.list",
    "artifactregistry.repositories.downloadArtifacts",
    "artifactregistry.repositories.get",
    "artifactregistry.repositories.uploadArtifacts",
    "artifactregistry.tags.create",
    "artifactregistry.tags.get",
    "artifactregistry.tags.list",
    "artifactregistry.tags.update",
    "artifactregistry.versions.get",
    "artifactregistry.versions.list",
  ]

  depends_on = [google_project_service.main]
}

resource "google_project_iam_member" "main" {
  for_each = local.project_grants

  project = var.project_id
  member  = each.value.member
  role    = each.value.role

  dynamic "condition" {
    for_each = each.value.only == null ? [] : [each.value.only]
    content {
      title      = "fanfold"
      expression = condition.value
    }
  }
}

resource "google_pubsub_topic_iam_member" "publishes" {
  for_each = local.publishers

  project = var.project_id
  topic   = google_pubsub_topic.main[each.value.topic].name
  member  = each.value.member
  role    = "roles/pubsub.publisher"
}

# A dead letter is published by Pub/Sub itself, which then acknowledges the message it came from.
resource "google_pubsub_topic_iam_member" "buries" {
  project = var.project_id
  topic   = google_pubsub_topic.main["dead-letters"].name
  member  = local.pubsub_agent
  role    = "roles/pubsub.publisher"
}

resource "google_pubsub_subscription_iam_member" "digs" {
  for_each = var.operators

  project      = var.project_id
  subscription = google_pubsub_subscription.main["dead-letters"].name
  member       = each.key
  role         = "roles/pubsub.subscriber"
}

resource "google_pubsub_subscription_iam_member" "buries" {
  for_each = { for key, each in module.shape.subscriptions : key => each if each.max_delivery_attempts != null }

  project      = var.project_id
  subscription = google_pubsub_subscription.main[each.key].name
  member       = local.pubsub_agent
  role         = "roles/pubsub.subscriber"
}

# One account for each function and not for each subscription: a second with the same one permission
# on the same service would keep nothing apart.
resource "google_cloud_run_v2_service_iam_member" "push" {
  for_each = module.shape.functions

  project  = var.project_id
  location = var.region
  name     = google_cloudfunctions2_function.main[each.key].name
  member   = local.members["to-${each.key}"]
  role     = "roles/run.invoker"

  # A function that is made anew has lost its bindings.
  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.main[each.key].id]
  }
}

resource "google_cloud_run_v2_service_iam_member" "callback" {
  for_each = local.callback_callers

  project  = var.project_id
  location = var.region
  name     = google_cloudfunctions2_function.main["callbacks"].name
  member   = each.value
  role     = "roles/run.invoker"

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.main["callbacks"].id]
  }
}

resource "google_cloud_run_v2_service_iam_member" "console" {
  for_each = { for member in var.console.members : "${member} opens the console" => member }

  project  = var.project_id
  location = var.region
  name     = google_cloudfunctions2_function.main["console"].name
  member   = each.value
  role     = "roles/run.invoker"

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.main["console"].id]
  }
}

resource "google_cloud_run_v2_service_iam_member" "tasks" {
  for_each = local.task_callers

  project  = var.project_id
  location = var.region
  name     = google_cloudfunctions2_function.main["collector_relay"].name
  member   = each.value
  role     = "roles/run.invoker"

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.main["collector_relay"].id]
  }
}

# A function cannot check who pushes: Cloud Run takes the signature off before the function sees the
# token. This wall is the only one, so a plan says it aloud if somebody opened it here.
check "nobody_is_everybody" {
  assert {
    condition = length(setintersection(
      ["allUsers", "allAuthenticatedUsers"],
      values(merge(local.callback_callers, local.task_callers)),
    )) == 0
    error_message = "A function of fanfold may be called by everybody: whoever calls the relay can post it a job."
  }
}

resource "google_cloud_run_v2_service_iam_member" "collector" {
  for_each = var.collector_services

  project  = coalesce(each.value.project, var.project_id)
  location = coalesce(each.value.location, var.region)
  name     = each.value.service
  member   = local.members["collector_relay"]
  role     = "roles/run.invoker"
}

# Pub/Sub signs the tokens of its pushes as these accounts.
resource "google_service_account_iam_member" "signs" {
  for_each = module.shape.functions

  service_account_id = local.account_ids["to-${each.key}"]
  member             = local.pubsub_agent
  role               = "roles/iam.serviceAccountTokenCreator"
}

resource "google_service_account_iam_member" "enqueues" {
  for_each = local.enqueuers

  service_account_id = local.account_ids["tasks"]
  member             = local.members[each.key]
  role               = "roles/iam.serviceAccountUser"
}

resource "google_cloud_tasks_queue_iam_member" "enqueues" {
  for_each = local.enqueuers

  project  = var.project_id
  location = local.queue_region
  name     = google_cloud_tasks_queue.main[0].name
  member   = local.members[each.key]
  role     = "roles/cloudtasks.enqueuer"
}

resource "google_storage_bucket_iam_member" "main" {
  for_each = local.report_grants

  bucket = google_storage_bucket.reports[0].name
  member = each.value.member
  role   = each.value.role
}

resource "google_secret_manager_secret_iam_member" "main" {
  for_each = local.secret_readers

  project   = var.project_id
  secret_id = each.value.secret
  member    = local.members[each.value.account]
  role      = "roles/secretmanager.secretAccessor"
}
