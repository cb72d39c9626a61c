variable "alert_email" {
  description = "Who is written to when an alert fires; null for nobody."
  type        = string
  default     = null
}

variable "async_collector_members" {
  description = "Who may report later: by publishing to collector-results, or by calling the callbacks service."
  type = object({
    callback = optional(set(string), [])
    publish  = optional(set(string), [])
  })
  default = {}

  validation {
    condition     = length(setintersection(["allUsers", "allAuthenticatedUsers"], setunion(var.async_collector_members.callback, var.async_collector_members.publish))) == 0
    error_message = "Name the accounts that report later. A function cannot tell who calls it: IAM is its only wall, and everybody is no wall."
  }
}

variable "bucket_location" {
  description = "Where the buckets are; absent, in region. A bucket cannot move."
  type        = string
  default     = null
}

variable "build_worker_pool" {
  description = "A private pool of Cloud Build that builds the functions, in full; absent, Cloud Build builds them in region, which some projects may not."
  type        = string
  default     = null
}

variable "bundles_folder" {
  description = "Where `make bundle` put the bundles; absent, build/ beside this folder."
  type        = string
  default     = null
}

variable "callback_key" {
  description = "Secret with the key of the callback tokens, made before the first apply (README.md)."
  type = object({
    secret  = optional(string, "fanfold-callback-key")
    version = optional(string, "1")
  })
  default = {}

  validation {
    condition     = can(tonumber(var.callback_key.version))
    error_message = "A secret in the environment is read when an instance starts: name a numbered version, not latest."
  }
}

variable "collector_services" {
  description = "Cloud Run services of the collectors, by collector: the relay is allowed to call them."
  type = map(object({
    service  = string
    location = optional(string)
    project  = optional(string)
  }))
  default = {}
}

variable "config_file" {
  description = "The configuration, the same that was bundled; absent, config/config.yaml beside this folder."
  type        = string
  default     = null
}

variable "console" {
  description = "Who may open the console (fanfold-console); nobody: there is none. behind = \"iap\" where Identity-Aware Proxy stands before it, with its service agent as the one member."
  type = object({
    behind  = optional(string, "iam")
    members = optional(set(string), [])
  })
  default = {}

  validation {
    condition     = contains(["iam", "iap"], var.console.behind)
    error_message = "behind is iam or iap."
  }
  validation {
    condition     = length(setintersection(["allUsers", "allAuthenticatedUsers"], var.console.members)) == 0
    error_message = "Name who may open the console. IAM is its only wall, and everybody is no wall."
  }
  validation {
    condition     = var.console.behind != "iap" || alltrue([for each in var.console.members : endswith(each, "@gcp-sa-iap.iam.gserviceaccount.com")])
    error_message = "Behind IAP its service agent alone may call the console: whoever else could would say who he is himself."
  }
}

variable "environment" {
  description = "Values of $${X} in the configuration, for example DVF_FUNCTION_URL. No secrets: these stand in the plan."
  type        = map(string)
  default     = {}
}

variable "firestore" {
  description = "Whether to make the database (default), and where; absent, in region. A project has one free database, and its place is for ever."
  type = object({
    create   = optional(bool, true)
    location = optional(string)
  })
  default = {}
}

variable "function_auth_token" {
  description = "Secret with the bearer token of collectors without an auth of their own; null for none."
  type = object({
    secret  = string
    version = string
  })
  default = null

  validation {
    condition     = var.function_auth_token == null || can(tonumber(var.function_auth_token.version))
    error_message = "A secret in the environment is read when an instance starts: name a numbered version, not latest."
  }
}

variable "functions" {
  description = "Changes to the functions' sizes, by function: dispatcher, collector_relay, aggregator, callbacks, console. The relay's concurrency and max_instances follow from max_concurrent_collectors."
  type = map(object({
    concurrency   = optional(number)
    cpu           = optional(string)
    max_instances = optional(number)
    memory        = optional(string)
    min_instances = optional(number)
  }))
  default = {}

  validation {
    condition     = length(setsubtract(keys(var.functions), ["aggregator", "callbacks", "collector_relay", "console", "dispatcher"])) == 0
    error_message = "The functions are aggregator, callbacks, collector_relay, console and dispatcher."
  }
  validation {
    condition     = try(var.functions.collector_relay.concurrency, null) == null && try(var.functions.collector_relay.max_instances, null) == null
    error_message = "How many calls the relays carry is scheduler.max_concurrent_collectors in the configuration."
  }
}

variable "labels" {
  description = "Labels of everything that can have them."
  type        = map(string)
  default     = { app = "fanfold" }
}

variable "log_level" {
  description = "Least severity that the functions log."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["DEBUG", "INFO", "NOTICE", "WARNING", "ERROR"], var.log_level)
    error_message = "Use DEBUG, INFO, NOTICE, WARNING or ERROR."
  }
}

variable "notification_channels" {
  description = "Monitoring channels that exist already, by their full names; alerts go to them too."
  type        = list(string)
  default     = []
}

variable "oldest_unacked_seconds" {
  description = "An alert fires when a message waits longer than this for its function."
  type        = number
  default     = 3600
}

variable "operators" {
  description = "People who start runs and read them with the command, for example group:data@example.com."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setintersection(["allUsers", "allAuthenticatedUsers"], var.operators)) == 0
    error_message = "Name people or groups: operators read and change the ledger."
  }
}

variable "prefix" {
  description = "Names an environment: staging makes staging-run-requests. Empty for none. One environment per project: the database is shared."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^([a-z][a-z0-9]{0,7})?$", var.prefix))
    error_message = "At most 8 small letters and digits, a letter first: an account's name has at most 30 characters."
  }
}

variable "project_id" {
  description = "The Google Cloud project."
  type        = string
}

variable "project_number" {
  description = "The project's number. With it every address is known to the plan; async_collector_members.callback and use_cloud_tasks need it."
  type        = string
  default     = null

  validation {
    condition     = var.project_number == null || can(regex("^[0-9]+$", var.project_number))
    error_message = "A number: gcloud projects describe PROJECT --format='value(projectNumber)'."
  }
}

variable "queue_region" {
  description = "Where the Cloud Tasks queue is; absent, in region."
  type        = string
  default     = null
}

variable "region" {
  description = "Where functions and their images are, and what the other places default to."
  type        = string
  default     = "europe-west9"
}

variable "runtime" {
  description = "Python of the functions. The lock file and the tests are for 3.11."
  type        = string
  default     = "python311"
}

variable "schedule_region" {
  description = "Where the schedules are; absent, in region."
  type        = string
  default     = null
}

variable "secret_environment" {
  description = "Secrets that functions get as variables, by variable: where use_secret_manager is false, $${secret:my-key} is read from MY_KEY."
  type = map(object({
    secret    = string
    version   = string
    functions = optional(set(string), ["collector_relay"])
  }))
  default = {}

  validation {
    condition     = alltrue([for each in var.secret_environment : can(tonumber(each.version))])
    error_message = "A secret in the environment is read when an instance starts: name a numbered version, not latest."
  }
}

variable "vpc_connector" {
  description = "A Serverless VPC Access connector through which the relay makes all its calls; absent, they go over Google's network to public addresses."
  type        = string
  default     = null
}
