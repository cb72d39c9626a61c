# The Cloud Tasks queue, where the configuration says use_cloud_tasks, or a collector says
# transport: cloud_tasks: it brings their jobs to the relay
# instead of the subscription of collector-jobs, and lets a call last 30 minutes instead of 10.

locals {
  # Who puts jobs into the queue: the dispatcher, and the sweep for those that were lost.
  enqueuers = module.shape.queue == null ? toset([]) : toset(["aggregator", "dispatcher"])

  tasks_environment = {
    for function in keys(module.shape.functions) : function => contains(local.enqueuers, function) ? {
      FANFOLD_RELAY_URL      = local.urls.collector_relay
      FANFOLD_TASKS_ACCOUNT  = local.emails["tasks"]
      FANFOLD_TASKS_LOCATION = local.queue_region
      FANFOLD_TASKS_QUEUE    = module.shape.queue
    } : {}
  }
}

resource "google_cloud_tasks_queue" "main" {
  count = module.shape.queue == null ? 0 : 1

  project  = var.project_id
  location = local.queue_region
  name     = module.shape.queue

  rate_limits {
    max_concurrent_dispatches = module.shape.queued_calls
  }

  # As the subscription of collector-jobs. A task that is given up is deleted, there is no dead
  # letter; the sweep then answers for it at the run's deadline.
  retry_config {
    max_attempts = module.shape.subscriptions["collector-jobs"].max_delivery_attempts
    min_backoff  = module.shape.subscriptions["collector-jobs"].minimum_backoff
    max_backoff  = module.shape.subscriptions["collector-jobs"].maximum_backoff
  }

  depends_on = [google_project_service.main]
}
