# What follows from the configuration file and the topology, the two files that the functions read
# as well. README.md has the map of this folder.

locals {
  config_file    = coalesce(var.config_file, "${path.module}/../config/config.yaml")
  bundles_folder = coalesce(var.bundles_folder, "${path.module}/../build")
  topology_file  = "${path.module}/../src/fanfold/messages/topology.json"

  # What a function is told that reads the configuration, but not the secret which stands in it:
  # the configuration is checked for what is not set, and only the relay ever fills it in.
  kept_elsewhere = "kept-by-the-function-that-needs-it"

  # What the configuration's references stand for: the variable environment, and those that are known
  # here and that the file asks for.
  known_here = {
    FANFOLD_REPORT_BUCKET = "gs://${var.project_id}-${module.shape.prefix}fanfold-reports"
    GOOGLE_CLOUD_PROJECT  = var.project_id
    SERVICE_ACCOUNT_EMAIL = "${module.shape.prefix}fanfold-tasks@${var.project_id}.iam.gserviceaccount.com"
  }
  environment = merge(
    { for name, value in local.known_here : name => value if strcontains(file(local.config_file), "$${${name}") },
    { for name in keys(local.secret_environment) : name => local.kept_elsewhere },
    var.environment,
  )

  # What the command is told, to find the same things.
  told = join(" ", compact([
    "FANFOLD_BACKEND=google",
    "GOOGLE_CLOUD_PROJECT=${var.project_id}",
    module.shape.prefix == "" ? "" : "FANFOLD_TOPIC_PREFIX=${module.shape.prefix}",
    module.shape.report_bucket == null ? "" : "FANFOLD_REPORT_BUCKET=gs://${module.shape.report_bucket}",
  ]))

  # Where no number was given, a resource knows it, but only after the apply. (A data source would
  # make every plan wait for the network.)
  project_number = var.project_number != null ? var.project_number : tostring(google_storage_bucket.bundles.project_number)

  # Each place of its own, so that one service that a region lacks moves nothing else.
  bucket_location = coalesce(var.bucket_location, var.region)
  queue_region    = coalesce(var.queue_region, var.region)
  schedule_region = coalesce(var.schedule_region, var.region)
}

module "shape" {
  source = "./modules/shape"

  config      = file(local.config_file)
  environment = local.environment
  prefix      = var.prefix
  topology    = file(local.topology_file)
}
