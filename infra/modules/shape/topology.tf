# topology.json, with the environment's prefix and in Pub/Sub's forms.

locals {
  topology = jsondecode(var.topology)
  dash     = var.prefix == "" ? "" : "${var.prefix}-"

  subscriptions = {
    for key, each in local.topology.subscriptions : key => {
      name                  = "${local.dash}${key}"
      topic                 = each.topic
      function              = each.function
      ack_deadline_seconds  = each.ack_deadline_s
      minimum_backoff       = "${each.min_backoff_s}s"
      maximum_backoff       = "${each.max_backoff_s}s"
      max_delivery_attempts = each.max_delivery_attempts
    }
  }
  fed = { for key, each in local.subscriptions : key => each if each.function != null }

  # collector_relay is the function fanfold-collector-relay, and its account fanfold-relay: an
  # account's id has at most 30 characters.
  functions = {
    for function in distinct([for each in local.fed : each.function]) : function => {
      name                 = "${local.dash}fanfold-${replace(function, "_", "-")}"
      account              = "${local.dash}fanfold-${element(split("_", function), -1)}"
      push_account         = "${local.dash}fanfold-to-${element(split("_", function), -1)}"
      ack_deadline_seconds = max([for each in local.fed : each.ack_deadline_seconds if each.function == function]...)
    }
  }
}
