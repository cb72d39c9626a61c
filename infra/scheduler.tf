# One job for each cron expression among the enabled collectors, and the sweep every minute. The
# message of a Scheduler job never changes: the dispatcher derives the slot from the cron that the
# job names and the time at which its message was published.

locals {
  ticks = merge(
    {
      for slug, cron in module.shape.schedules : "${module.shape.schedule_name}-${slug}" => {
        topic       = "run-requests"
        cron        = cron
        description = "Runs the collectors that are due at ${cron}."
        attributes = {
          ce-specversion = "1.0"
          ce-type        = "dev.fanfold.run.requested.v1"
          cron           = cron
          schedule       = module.shape.schedule_name
        }
      }
    },
    {
      sweep = {
        topic       = "sweep-ticks"
        cron        = "* * * * *"
        description = "Closes and repairs what events alone would leave open."
        attributes = {
          ce-specversion = "1.0"
          ce-type        = "dev.fanfold.sweep.tick.v1"
        }
      }
    },
  )
}

resource "google_cloud_scheduler_job" "main" {
  for_each = local.ticks

  project     = var.project_id
  region      = local.schedule_region
  name        = "${module.shape.prefix}fanfold-${each.key}"
  description = each.value.description
  schedule    = each.value.cron
  time_zone   = module.shape.time_zone

  retry_config {
    retry_count          = 5
    min_backoff_duration = "5s"
    max_backoff_duration = "60s"
  }

  pubsub_target {
    topic_name = local.topic_ids[each.value.topic]
    data       = base64encode("{}")
    attributes = each.value.attributes
  }

  # Who paused a schedule by hand wants it to stay paused.
  lifecycle {
    ignore_changes = [paused]
  }

  depends_on = [google_project_service.main]
}
