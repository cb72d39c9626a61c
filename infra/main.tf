# What follows from the configuration file and the topology, the two files that the functions read
# as well. README.md has the map of this folder.

locals {
  config_file    = coalesce(var.config_file, "${path.module}/../config/config.yaml")
  bundles_folder = coalesce(var.bundles_folder, "${path.module}/../build")
  topology_file  = "${path.module}/../src/fanfold/topology.json"

  # What a function is told that reads the configuration, but not the secret which stands in it:
  # the configuration is checked for what is not set, and only the relay ever fills it in.
  kept_elsewhere = "kept-by-the-function-that-needs-it"

  # Values that the configuration may refer to and that are known here.
  environment = merge(
    {
      GOOGLE_CLOUD_PROJECT  = var.project_id
      SERVICE_ACCOUNT_EMAIL = "${module.shape.prefix}fanfold-tasks@${var.project_id}.iam.gserviceaccount.com"
    },
    { for name in keys(local.secret_environment) : name => local.kept_elsewhere },
    var.environment,
  )

  # How the command is told of the prefix.
  prefixed = module.shape.prefix == "" ? "" : " FANFOLD_TOPIC_PREFIX=${module.shape.prefix}"

  # Asked of a resource: a data source would make every plan wait for the network.
  project_number = google_storage_bucket.bundles.project_number
}

module "shape" {
  source = "./modules/shape"

  config      = file(local.config_file)
  environment = local.environment
  prefix      = var.prefix
  topology    = file(local.topology_file)
}
