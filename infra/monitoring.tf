# Alerts for what fanfold cannot say itself. How a run ended it says itself (`notify`, and the
# finished events on run-reports).
#
# What a log line says is matched in the log, and needs no metric: a metric of our own is not known to
# Monitoring for up to 10 minutes after it was made, and an alert on it is answered 404 meanwhile. The
# metrics that are used are Pub/Sub's own, which are always known. An alert that matches log lines
# can have one condition only, so each has a policy of its own.

locals {
  channels = concat(var.notification_channels, google_monitoring_notification_channel.email[*].id)
  function_log = {
    for key, each in local.functions : key =>
    "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${each.name}\""
  }
}

resource "google_monitoring_notification_channel" "email" {
  count = var.alert_email == null ? 0 : 1

  project      = var.project_id
  display_name = "fanfold alerts"
  type         = "email"
  labels       = { email_address = var.alert_email }

  depends_on = [google_project_service.main]
}

resource "google_monitoring_alert_policy" "dead_letters" {
  project               = var.project_id
  display_name          = "${module.shape.prefix}fanfold: dead letters"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "a message was given up"
    condition_threshold {
      filter          = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = \"${google_pubsub_subscription.main["dead-letters"].name}\" AND metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  alert_strategy {
    auto_close = "604800s"
  }

  documentation {
    mime_type = "text/markdown"
    content   = "A message was delivered as often as its subscription allows and is kept for 31 days. `${local.told} fanfold dead-letters list` says which, and why."
  }

  depends_on = [google_project_service.main]
}

# The sweep logs each slot whose run never came.
resource "google_monitoring_alert_policy" "no_report" {
  project               = var.project_id
  display_name          = "${module.shape.prefix}fanfold: no report"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "a scheduled run never came"
    condition_matched_log {
      filter = "${local.function_log["aggregator"]} AND jsonPayload.missed:*"
    }
  }

  alert_strategy {
    auto_close = "604800s"
    notification_rate_limit {
      period = "300s"
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "A report is missing. `${local.told} fanfold status` says which; then see the schedules: `gcloud scheduler jobs list --location=${local.schedule_region} --project=${var.project_id}`."
  }

  depends_on = [google_project_service.main]
}

# What was refused by night, nobody reads in the morning: the schedule's request, and a configuration
# that cannot be read, of which the sweep says so every minute.
resource "google_monitoring_alert_policy" "refused" {
  project               = var.project_id
  display_name          = "${module.shape.prefix}fanfold: not started"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "a scheduled request was refused, or the configuration cannot be read"
    condition_matched_log {
      filter = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(\"${local.functions["aggregator"].name}\" OR \"${local.functions["dispatcher"].name}\") AND severity=ERROR AND (jsonPayload.status=\"rejected\" OR jsonPayload.configuration=\"unreadable\")"
    }
  }

  alert_strategy {
    auto_close = "604800s"
    notification_rate_limit {
      period = "3600s"
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "No run starts. `${local.told} fanfold status` says why, and `fanfold check` what to write; then `make bundle && terraform -chdir=infra apply`."
  }

  depends_on = [google_project_service.main]
}

# The sweep is what ends every run at its deadline, and what misses a run: without it nobody looks. It
# is told apart by its acknowledgements, so a sweep that always fails counts as one that does not run.
# Monitoring sees an absence only after it saw a first point: the first run of docs/deploy.md.
resource "google_monitoring_alert_policy" "no_sweep" {
  project               = var.project_id
  display_name          = "${module.shape.prefix}fanfold: the sweep stands still"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "the sweep has not run for 15 minutes"
    condition_absent {
      filter   = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = \"${google_pubsub_subscription.main["sweep-ticks"].name}\" AND metric.type = \"pubsub.googleapis.com/subscription/push_request_count\" AND metric.labels.response_class = \"ack\""
      duration = "900s"
      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  alert_strategy {
    auto_close = "604800s"
  }

  documentation {
    mime_type = "text/markdown"
    content   = "Nobody would notice a report that does not come. Is `gcloud scheduler jobs list --location=${local.schedule_region} --project=${var.project_id}` ENABLED, and what says `gcloud run services logs read ${local.functions["aggregator"].name} --region=${var.region} --project=${var.project_id}`?"
  }

  depends_on = [google_project_service.main]
}

resource "google_monitoring_alert_policy" "oldest_unacked" {
  project               = var.project_id
  display_name          = "${module.shape.prefix}fanfold: a message waits"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels
  user_labels           = var.labels

  dynamic "conditions" {
    for_each = { for key, each in module.shape.subscriptions : key => each if each.function != null }
    content {
      display_name = "${conditions.value.name} waits for ${local.functions[conditions.value.function].name}"
      condition_threshold {
        filter          = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = \"${google_pubsub_subscription.main[conditions.key].name}\" AND metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
        comparison      = "COMPARISON_GT"
        threshold_value = var.oldest_unacked_seconds
        duration        = "60s"
        aggregations {
          alignment_period   = "60s"
          per_series_aligner = "ALIGN_MAX"
        }
      }
    }
  }

  alert_strategy {
    auto_close = "604800s"
  }

  documentation {
    mime_type = "text/markdown"
    content   = "A function does not keep up, or answers with errors. Its log says which: `gcloud run services logs read SERVICE --region=${var.region} --project=${var.project_id}`."
  }

  depends_on = [google_project_service.main]
}

# One line a run that ended as failed. Who wants to hear of changes only sets `notify`, and no channel.
resource "google_monitoring_alert_policy" "run_failed" {
  project               = var.project_id
  display_name          = "${module.shape.prefix}fanfold: a run failed"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "a run ended as failed"
    condition_matched_log {
      filter           = "${local.function_log["aggregator"]} AND severity=ERROR AND jsonPayload.status=\"failed\""
      label_extractors = { run_id = "EXTRACT(labels.run_id)" }
    }
  }

  alert_strategy {
    auto_close = "604800s"
    notification_rate_limit {
      period = "300s"
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "A required collector failed or timed out. `${local.told} fanfold status` says which, and why; `fanfold retry RUN` asks again."
  }

  depends_on = [google_project_service.main]
}
