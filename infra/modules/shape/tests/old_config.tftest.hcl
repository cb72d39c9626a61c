# The file of the master scheduler that fanfold replaces, as it is.

variables {
  config   = file("./tests/files/old.yaml")
  topology = file("./tests/files/topology.json")
  environment = {
    DVF_FUNCTION_URL    = "https://dvf.example.com"
    INSEE_FUNCTION_URL  = "https://insee.example.com"
    PLU_FUNCTION_URL    = "https://plu.example.com"
    SIRENE_FUNCTION_URL = "https://sirene.example.com"
  }
}

run "four_crons_are_four_schedules" {
  command = plan

  assert {
    condition = output.schedules == {
      "0_2_x_x_x" = "0 2 * * *"
      "0_3_x_x_x" = "0 3 * * *"
      "0_4_x_x_0" = "0 4 * * 0"
      "0_5_x_x_0" = "0 5 * * 0"
    }
    error_message = "got ${jsonencode(output.schedules)}"
  }
}

run "what_the_file_does_not_say_has_the_defaults_of_the_code" {
  command = plan

  assert {
    condition     = output.time_zone == "UTC" && output.schedule_name == "scheduled"
    error_message = "got ${output.time_zone}, ${output.schedule_name}"
  }
  assert {
    condition     = output.report_bucket == null && output.keep_days == 400
    error_message = "a file without a report section has no bucket, and keeps 400 days"
  }
}

run "its_old_switches_are_read" {
  command = plan

  assert {
    condition     = output.queue == null && !output.use_secret_manager
    error_message = "use_cloud_tasks and use_secret_manager are false in this file"
  }
  assert {
    condition     = output.relay == { calls = 4, concurrency = 4, max_instances = 1 }
    error_message = "max_concurrent_collectors is 4: got ${jsonencode(output.relay)}"
  }
}
