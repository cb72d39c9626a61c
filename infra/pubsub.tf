# Topics and subscriptions, all of topology.json. Push is ours and not Eventarc's, whose own
# subscription has an ack deadline of 10 s and no dead letter, and which Terraform cannot change.

locals {
  # Known before anything is made, so that a plan can be read.
  topic_ids = { for key, topic in google_pubsub_topic.main : key => "projects/${topic.project}/topics/${topic.name}" }

  # Dead letters are kept as long as Pub/Sub keeps anything; the rest a week.
  retention_seconds = { for key, each in module.shape.subscriptions : key => each.max_delivery_attempts == null ? 2678400 : 604800 }
}

resource "google_pubsub_topic" "main" {
  for_each = module.shape.topics

  project = var.project_id
  name    = each.value
  labels  = var.labels

  depends_on = [google_project_service.main]
}

resource "google_pubsub_subscription" "main" {
  for_each = module.shape.subscriptions

  project                    = var.project_id
  name                       = each.value.name
  topic                      = local.topic_ids[each.value.topic]
  labels                     = var.labels
  ack_deadline_seconds       = each.value.ack_deadline_seconds
  message_retention_duration = "${local.retention_seconds[each.key]}s"

  # Without this, a subscription that nobody uses for 31 days is gone, and its messages with it.
  expiration_policy {
    ttl = ""
  }

  retry_policy {
    minimum_backoff = each.value.minimum_backoff
    maximum_backoff = each.value.maximum_backoff
  }

  dynamic "dead_letter_policy" {
    for_each = each.value.max_delivery_attempts == null ? [] : [each.value.max_delivery_attempts]
    content {
      dead_letter_topic     = local.topic_ids["dead-letters"]
      max_delivery_attempts = dead_letter_policy.value
    }
  }

  # Wrapped: the unwrapped form does not say which delivery attempt this is.
  dynamic "push_config" {
    for_each = each.value.function == null ? [] : [each.value.function]
    content {
      push_endpoint = google_cloudfunctions2_function.main[push_config.value].service_config[0].uri
      attributes    = { x-goog-version = "v1" }

      # The audience would otherwise be the endpoint with its path, which Cloud Run does not accept.
      oidc_token {
        service_account_email = local.emails["to-${push_config.value}"]
        audience              = google_cloudfunctions2_function.main[push_config.value].service_config[0].uri
      }
    }
  }

  # Messages wait for whoever may call the function and for whoever may bury them.
  depends_on = [
    google_cloud_run_v2_service_iam_member.push,
    google_pubsub_topic_iam_member.buries,
    google_service_account_iam_member.signs,
  ]
}
