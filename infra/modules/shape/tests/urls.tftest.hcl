# Every enabled collector has a URL: the places of one, in the order in which the code looks.

variables {
  topology = file("./tests/files/topology.json")
  config   = <<-YAML
    scheduler:
      collectors:
        parcel-map: { schedule: "0 2 * * *" }
  YAML
}

run "a_collector_without_a_url_is_an_error" {
  command = plan

  expect_failures = [output.schedules]
}

run "its_variable_is_enough" {
  command = plan

  variables {
    environment = { PARCEL_MAP_COLLECTOR_URL = "https://map.example.com" }
  }
  assert {
    condition     = length(output.schedules) == 1
    error_message = "got ${jsonencode(output.schedules)}"
  }
}

run "an_empty_variable_is_none" {
  command = plan

  variables {
    environment = { PARCEL_MAP_COLLECTOR_URL = "" }
  }
  expect_failures = [output.schedules]
}

run "the_file_is_enough" {
  command = plan

  variables {
    config = <<-YAML
      scheduler:
        collectors:
          one: { schedule: "0 2 * * *", url: "https://one.example.com" }
          two: { schedule: "0 3 * * *" }
        collector_urls:
          two: https://two.example.com
    YAML
  }
  assert {
    condition     = length(output.schedules) == 2
    error_message = "got ${jsonencode(output.schedules)}"
  }
}

run "a_base_or_a_default_is_enough" {
  command = plan

  variables {
    config = <<-YAML
      scheduler:
        base_function_url: ${"$"}{BASE}
        defaults: { url: "https://default.example.com" }
        collectors:
          one: { schedule: "0 2 * * *" }
    YAML
  }
  assert {
    condition     = length(output.schedules) == 1
    error_message = "the default stands before the base, so nobody misses BASE"
  }
}

run "a_reference_that_nobody_filled_is_no_url" {
  command = plan

  variables {
    config = <<-YAML
      scheduler:
        defaults: { url: "https://default.example.com" }
        collectors:
          one: { schedule: "0 2 * * *", url: "${"$"}{ONE_URL}" }
    YAML
  }
  expect_failures = [output.schedules]
}

run "a_disabled_collector_needs_none" {
  command = plan

  variables {
    config = <<-YAML
      scheduler:
        collectors:
          one: { schedule: "0 2 * * *", enabled: false, url: "${"$"}{ONE_URL}" }
    YAML
  }
  assert {
    condition     = length(output.schedules) == 0
    error_message = "got ${jsonencode(output.schedules)}"
  }
}
