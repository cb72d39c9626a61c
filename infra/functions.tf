# The three functions. They answer HTTP, and push subscriptions call them (pubsub.tf). Beside them,
# where collectors call back, the relay's bundle a second time, for /callback/ alone.

locals {
  # Each size with its reason; var.functions changes them.
  sizes = {
    # A request is a run: rare, and short. 8 at once, for the hour at which all schedules fire.
    dispatcher = { concurrency = 8, cpu = "1", max_instances = 2, memory = "512Mi", min_instances = 0 }

    # Together never more calls than the configuration allows (README.md has the arithmetic).
    collector_relay = {
      concurrency   = module.shape.relay.concurrency
      cpu           = "1"
      max_instances = module.shape.relay.max_instances
      memory        = "512Mi"
      min_instances = 0
    }

    # A callback is short: a token, an answer, one message.
    callbacks = { concurrency = 80, cpu = "1", max_instances = 2, memory = "512Mi", min_instances = 0 }

    # People look now and then. One instance: the words of its forms hold for it alone.
    console = { concurrency = 8, cpu = "1", max_instances = 1, memory = "512Mi", min_instances = 0 }

    # Results that arrive together are counted together, if one instance sees them.
    aggregator = { concurrency = 80, cpu = "1", max_instances = 2, memory = "512Mi", min_instances = 0 }
  }
  functions = {
    for key, names in merge(module.shape.functions, local.callbacks, local.console) : key => merge(
      names, local.sizes[key], { for word, value in try(var.functions[key], {}) : word => value if value != null }
    )
  }

  # A service of its own, so that whoever may call back cannot post a job to the relay.
  callbacks = length(var.async_collector_members.callback) == 0 ? {} : {
    callbacks = {
      name                 = "${module.shape.prefix}fanfold-callbacks"
      account              = "${module.shape.prefix}fanfold-callbacks"
      ack_deadline_seconds = 60
    }
  }

  # Off if nobody is named: then there is no console, and no account that reads for it.
  console = length(var.console.members) == 0 ? {} : {
    console = {
      name                 = "${module.shape.prefix}fanfold-console"
      account              = "${module.shape.prefix}fanfold-console"
      ack_deadline_seconds = 60
    }
  }

  # The functions that have a bundle of their own.
  bundled = toset(concat(keys(module.shape.functions), keys(local.console)))

  # Which bundle a function runs, by function.
  bundle_of = { for key in keys(local.functions) : key => key == "callbacks" ? "collector_relay" : key }

  read_configuration = ["aggregator", "console", "dispatcher"]

  # A function outlives its delivery by a minute, to store what it learned in its last second.
  timeout_seconds = {
    for key, each in local.functions :
    key => 60 + (key == "collector_relay" && module.shape.queue != null ? 1800 : each.ack_deadline_seconds)
  }

  # Cloud Run's own addresses, which can be told beforehand: where tasks go, and where collectors
  # answer later. The function's uri cannot stand in the functions themselves.
  urls = { for key, each in local.functions : key => "https://${each.name}-${local.project_number}.${var.region}.run.app" }

  function_environment = {
    for key, each in local.functions : key => merge(
      {
        FANFOLD_BACKEND      = "google"
        FANFOLD_LOG_LEVEL    = var.log_level
        FANFOLD_TOPIC_PREFIX = module.shape.prefix
        GOOGLE_CLOUD_PROJECT = var.project_id
        THREADS              = tostring(each.concurrency)
      },
      contains(local.read_configuration, key) ? merge(
        { for name, value in local.environment : name => value if !contains(keys(local.secret_environments[key]), name) },
        { FANFOLD_CONFIG = "config.yaml" },
      ) : {},
      key == "collector_relay" && contains(keys(local.urls), "callbacks") ? { FANFOLD_CALLBACK_URL = local.urls.callbacks } : {},
      key == "console" ? { FANFOLD_CONSOLE_BEHIND = var.console.behind } : {},
      lookup(local.tasks_environment, key, {}),
    )
  }

  bundles = jsondecode(file("${local.bundles_folder}/bundles.json"))
}

resource "google_cloudfunctions2_function" "main" {
  for_each = local.functions

  project     = var.project_id
  location    = var.region
  name        = each.value.name
  description = "fanfold: ${replace(each.key, "_", " ")}"
  labels      = var.labels

  build_config {
    runtime           = var.runtime
    entry_point       = each.key
    service_account   = local.account_ids["build"]
    docker_repository = local.image_repository
    worker_pool       = var.build_worker_pool
    source {
      storage_source {
        bucket = google_storage_bucket.bundles.name
        object = local.bundle_objects[local.bundle_of[each.key]]
      }
    }
  }

  service_config {
    all_traffic_on_latest_revision   = true
    available_cpu                    = each.value.cpu
    available_memory                 = each.value.memory
    environment_variables            = local.function_environment[each.key]
    ingress_settings                 = contains(["callbacks", "console"], each.key) ? "ALLOW_ALL" : "ALLOW_INTERNAL_ONLY"
    max_instance_count               = each.value.max_instances
    max_instance_request_concurrency = each.value.concurrency
    min_instance_count               = each.value.min_instances
    service_account_email            = local.emails[each.key]
    timeout_seconds                  = local.timeout_seconds[each.key]

    # Collectors that take calls from the inside alone are reached through a VPC, and then all are.
    vpc_connector                 = each.key == "collector_relay" ? var.vpc_connector : null
    vpc_connector_egress_settings = each.key == "collector_relay" && var.vpc_connector != null ? "ALL_TRAFFIC" : null

    dynamic "secret_environment_variables" {
      for_each = local.secret_environments[each.key]
      content {
        key        = secret_environment_variables.key
        project_id = var.project_id
        secret     = secret_environment_variables.value.secret
        version    = secret_environment_variables.value.version
      }
    }
  }

  lifecycle {
    precondition {
      condition     = var.project_number != null || (length(local.callbacks) == 0 && module.shape.queue == null)
      error_message = "Functions are told each other's addresses, which hold the project's number: write project_number (gcloud projects describe ${var.project_id} --format='value(projectNumber)')."
    }
  }

  # A build that may not read its source fails; an instance that may not read its secrets does not
  # start.
  depends_on = [
    google_artifact_registry_repository.images,
    google_project_iam_member.main,
    google_project_service.main,
    google_secret_manager_secret_iam_member.main,
    google_storage_bucket_iam_member.main,
    google_storage_bucket_object.bundle,
  ]
}
