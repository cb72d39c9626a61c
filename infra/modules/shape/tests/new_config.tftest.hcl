# The dialect of today.

variables {
  config      = file("./tests/files/new.yaml")
  topology    = file("./tests/files/topology.json")
  environment = { CLOUD_FUNCTIONS_BASE_URL = "https://base.example.com", GOOGLE_CLOUD_PROJECT = "demo" }
}

run "a_cron_that_two_collectors_share_is_one_schedule" {
  command = plan

  assert {
    condition = output.schedules == {
      "15_3_x_x_x"   = "15 3 * * *"
      "15_3_x_x_1-5" = "15 3 * * 1-5"
    }
    error_message = "dvf inherits, sirene spaces it differently, insee_contours is disabled: got ${jsonencode(output.schedules)}"
  }
}

run "the_environment_fills_references" {
  command = plan

  variables {
    environment = { CLOUD_FUNCTIONS_BASE_URL = "https://base.example.com", GOOGLE_CLOUD_PROJECT = "demo", PLU_HOUR = "0 5" }
  }
  assert {
    condition     = output.schedules["0_5_x_x_1-5"] == "0 5 * * 1-5"
    error_message = "got ${jsonencode(output.schedules)}"
  }
  assert {
    condition     = output.report_bucket == "demo-fanfold"
    error_message = "the bucket is named without its folder: got ${output.report_bucket}"
  }
}

run "an_empty_variable_counts_as_missing" {
  command = plan

  variables {
    environment = { CLOUD_FUNCTIONS_BASE_URL = "https://base.example.com", GOOGLE_CLOUD_PROJECT = "demo", PLU_HOUR = "" }
  }
  assert {
    condition     = contains(values(output.schedules), "15 3 * * 1-5")
    error_message = "got ${jsonencode(output.schedules)}"
  }
}

run "a_reference_can_disable_a_collector" {
  command = plan

  variables {
    environment = { CLOUD_FUNCTIONS_BASE_URL = "https://base.example.com", GOOGLE_CLOUD_PROJECT = "demo", PLU_ENABLED = "Off" }
  }
  assert {
    condition     = join(" ", keys(output.schedules)) == "15_3_x_x_x"
    error_message = "got ${jsonencode(output.schedules)}"
  }
}

run "a_reference_that_nobody_filled_is_an_error" {
  command = plan

  variables {
    environment = {}
  }
  expect_failures = [output.schedules]
}

run "words_and_switches_are_read" {
  command = plan

  assert {
    condition     = output.time_zone == "Europe/Paris" && output.schedule_name == "nightly"
    error_message = "got ${output.time_zone}, ${output.schedule_name}"
  }
  assert {
    condition     = output.queue == "data-collectors" && output.use_secret_manager
    error_message = "yes is true, and the queue has its default name: got ${output.queue}"
  }
  assert {
    condition     = output.keep_days == 91
    error_message = "90d12h are 91 days: got ${output.keep_days}"
  }
}

run "secrets_go_to_the_function_that_reads_them" {
  command = plan

  assert {
    condition     = join(" ", output.secrets.collector_relay) == "FUNCTION_AUTH_TOKEN sirene-key"
    error_message = "dvf says nothing of auth, so it is sent the token: got ${jsonencode(output.secrets)}"
  }
  assert {
    condition     = join(" ", output.secrets.aggregator) == "slack-webhook"
    error_message = "got ${jsonencode(output.secrets)}"
  }
}

run "a_token_in_the_environment_is_not_asked_of_secret_manager" {
  command = plan

  variables {
    environment = { CLOUD_FUNCTIONS_BASE_URL = "https://base.example.com", GOOGLE_CLOUD_PROJECT = "demo", FUNCTION_AUTH_TOKEN = "set" }
  }
  assert {
    condition     = join(" ", output.secrets.collector_relay) == "sirene-key"
    error_message = "got ${jsonencode(output.secrets)}"
  }
}

run "the_relays_never_carry_more_calls_than_the_file_allows" {
  command = plan

  assert {
    condition     = output.relay == { calls = 200, concurrency = 66, max_instances = 3 }
    error_message = "3 instances of 66 are 198 calls: got ${jsonencode(output.relay)}"
  }
}

run "a_file_that_says_nothing_schedules_nothing" {
  command = plan

  variables {
    config = "# still empty"
  }
  assert {
    condition     = length(output.schedules) == 0 && output.relay.calls == 4
    error_message = "got ${jsonencode(output.schedules)}"
  }
}

run "dollars_and_odd_crons_survive" {
  command = plan

  variables {
    config = <<-YAML
      scheduler:
        name: a$$b
        collectors:
          one: { schedule: "*/5 8-18 1,15 JAN-jun MON", url: "https://one.example.com" }
    YAML
  }
  assert {
    condition     = output.schedules == { "xby5_8-18_1and15_JAN-jun_MON" = "*/5 8-18 1,15 JAN-jun MON" }
    error_message = "got ${jsonencode(output.schedules)}"
  }
  assert {
    condition     = output.schedule_name == "a$b"
    error_message = "got ${output.schedule_name}"
  }
}
