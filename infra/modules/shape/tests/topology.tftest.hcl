# topology.json in Pub/Sub's forms.

variables {
  config   = "scheduler: {}"
  topology = file("./tests/files/topology.json")
}

run "names_are_those_of_the_topology" {
  command = plan

  assert {
    condition     = output.topics == { questions = "questions", answers = "answers", dead-letters = "dead-letters" }
    error_message = "got ${jsonencode(output.topics)}"
  }
  assert {
    condition     = output.prefix == ""
    error_message = "got ${output.prefix}"
  }
}

run "a_prefix_stands_before_every_name" {
  command = plan

  variables {
    prefix = "staging"
  }
  assert {
    condition     = alltrue([for name in values(output.topics) : startswith(name, "staging-")])
    error_message = "got ${jsonencode(output.topics)}"
  }
  assert {
    condition     = output.subscriptions["questions"].name == "staging-questions"
    error_message = "got ${output.subscriptions["questions"].name}"
  }
  assert {
    condition = output.functions["slow_asker"] == {
      name                 = "staging-fanfold-slow-asker"
      account              = "staging-fanfold-asker"
      push_account         = "staging-fanfold-to-asker"
      ack_deadline_seconds = 600
    }
    error_message = "got ${jsonencode(output.functions["slow_asker"])}"
  }
}

run "times_carry_their_unit" {
  command = plan

  assert {
    condition     = output.subscriptions["questions"].minimum_backoff == "10s" && output.subscriptions["questions"].maximum_backoff == "60s"
    error_message = "got ${jsonencode(output.subscriptions["questions"])}"
  }
}

run "a_function_is_as_patient_as_its_most_patient_subscription" {
  command = plan

  assert {
    condition     = join(" ", keys(output.functions)) == "reader slow_asker" && output.functions["reader"].ack_deadline_seconds == 90
    error_message = "got ${jsonencode(output.functions)}"
  }
}

run "only_the_dead_letters_have_no_dead_letter" {
  command = plan

  assert {
    condition     = [for key, each in output.subscriptions : key if each.max_delivery_attempts == null] == ["dead-letters"]
    error_message = "got ${jsonencode(output.subscriptions)}"
  }
}
