output "accounts" {
  description = "Service accounts by what they do. Collectors elsewhere let the one of collector_relay call them."
  value       = local.emails
}

output "bundles" {
  description = "What is deployed, by function."
  value       = { for key, object in google_storage_bucket_object.bundle : key => "gs://${object.bucket}/${object.name}" }
}

output "commands" {
  description = "Commands to try, in this order."
  value = {
    "1 start a run"     = "gcloud pubsub topics publish ${google_pubsub_topic.main["run-requests"].name} --project=${var.project_id} --message='{\"reason\": \"first try\"}'"
    "2 watch it"        = "${local.told} fanfold status latest"
    "3 read its report" = "${local.told} fanfold report latest"
    "4 dead letters"    = "gcloud pubsub subscriptions pull ${google_pubsub_subscription.main["dead-letters"].name} --project=${var.project_id} --limit=10"
    "5 fire a schedule" = "gcloud scheduler jobs list --project=${var.project_id} --location=${local.schedule_region}; gcloud scheduler jobs run JOB --project=${var.project_id} --location=${local.schedule_region}"
  }
}

output "console" {
  description = "The runs, as the Firestore console shows them."
  value       = "https://console.cloud.google.com/firestore/databases/-default-/data/panel/fanfold_runs?project=${var.project_id}"
}

output "functions" {
  description = "Addresses of the functions."
  value       = { for key, function in google_cloudfunctions2_function.main : key => function.service_config[0].uri }
  depends_on  = [google_cloud_run_v2_service_iam_member.push]
}

output "relay" {
  description = "How many collectors can be called at once, and by how many instances."
  value       = module.shape.relay
}

output "report_bucket" {
  description = "Where reports are; null where the configuration names no bucket."
  value       = try(google_storage_bucket.reports[0].name, null)
}

output "schedules" {
  description = "When Cloud Scheduler asks for runs, and for sweeps."
  value       = { for job in google_cloud_scheduler_job.main : job.name => "${job.schedule} ${job.time_zone}" }
}

output "topics" {
  description = "Names of the topics, by their name in the topology."
  value       = { for key, topic in google_pubsub_topic.main : key => topic.name }
  depends_on  = [google_pubsub_topic_iam_member.publishes]
}
