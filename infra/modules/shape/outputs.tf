output "functions" {
  description = "Functions by their name in the topology: their names and accounts, and their longest ack deadline."
  value       = local.functions
}

output "keep_days" {
  description = "How long reports are kept, in whole days."
  value       = max(1, ceil(local.keep_seconds / 86400))
}

output "prefix" {
  description = "What stands before every name: empty, or the environment and a dash."
  value       = local.dash
}

output "pushes_jobs" {
  description = "Whether any job goes by Pub/Sub."
  value       = local.is_mixed || (length(local.by_tasks) == 0 && !local.is_true["scheduler.use_cloud_tasks"])
}

output "queue" {
  description = "Name of the Cloud Tasks queue; null where it is not used."
  value       = local.is_true["scheduler.use_cloud_tasks"] || length(local.by_tasks) > 0 ? "${local.dash}${local.meant["scheduler.queue_name"]}" : null
}

output "queued_calls" {
  description = "How many calls Cloud Tasks makes at once: all, or its share where some jobs go by Pub/Sub."
  value       = local.is_mixed ? max(1, floor(local.calls * length(local.by_tasks) / length(local.enabled))) : local.calls
}

output "relay" {
  description = "How many relay instances, with how many calls each: never more calls than max_concurrent_collectors."
  value = {
    calls         = local.calls
    concurrency   = floor(local.calls / local.instances)
    max_instances = local.instances
  }
}

output "report_bucket" {
  description = "Name of the bucket in which reports are kept; null without one."
  value       = try(local.bucket.name, null)
}

output "schedule_name" {
  description = "What scheduled runs are called."
  value       = local.meant["scheduler.name"]
}

output "schedules" {
  description = "Cron expressions of the enabled collectors, each once, by a name that Cloud Scheduler allows."
  value       = { for cron, slug in local.slugs : slug => cron }

  precondition {
    condition     = length(local.missing) == 0
    error_message = "The configuration needs what nobody gave; add to the variable environment: ${join(", ", local.missing)}"
  }
  precondition {
    condition     = length(local.without_url) == 0
    error_message = "Every enabled collector needs a URL, or no run starts; add to the variable environment: ${join(", ", local.without_url)}"
  }
}

output "secrets" {
  description = "Names of the secrets that the configuration refers to, by the function that reads them."
  value       = local.secrets
}

output "subscriptions" {
  description = "Subscriptions by their name in the topology."
  value       = local.subscriptions
}

output "time_zone" {
  description = "Zone in which cron expressions are read."
  value       = local.meant["scheduler.timezone"]
}

output "topics" {
  description = "Names of the topics, by their name in the topology."
  value       = { for topic in local.topology.topics : topic => "${local.dash}${topic}" }
}

output "use_secret_manager" {
  description = "Whether secrets are read from Secret Manager."
  value       = local.is_true["scheduler.use_secret_manager"]
}
