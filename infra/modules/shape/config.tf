# The configuration file, as far as infrastructure follows from it. What a value may be is checked
# by `fanfold check`; here only the few keys below are read.

locals {
  # A file with nothing but comments is empty; yamldecode would call it an error.
  document  = yamldecode(length(regexall("(?m)^\\s*[^#\\s]", var.config)) == 0 ? "{}" : var.config)
  scheduler = try(local.document.scheduler, {})
  defaults  = try(local.scheduler.defaults, {})

  # What every collector says, or inherits from the defaults. `dvf:` with nothing below it is null.
  collectors = {
    for name, collector in try(local.scheduler.collectors, {}) : name => {
      enabled   = try(collector.enabled, local.defaults.enabled, true)
      schedule  = try(collector.schedule, local.defaults.schedule, "")
      transport = try(collector.transport, local.defaults.transport, "")
      auth      = try(jsonencode(collector.auth), jsonencode(local.defaults.auth), "null")
    }
  }

  # Every value that is read, as text: references stand in texts only.
  written = merge(
    {
      "report.bucket"                       = tostring(try(local.document.report.bucket, ""))
      "report.keep"                         = tostring(try(local.document.report.keep, "400d"))
      "scheduler.max_concurrent_collectors" = tostring(try(local.scheduler.max_concurrent_collectors, 4))
      "scheduler.name"                      = tostring(try(local.scheduler.name, "scheduled"))
      "scheduler.queue_name"                = tostring(try(local.scheduler.queue_name, "data-collectors"))
      "scheduler.timezone"                  = tostring(try(local.scheduler.timezone, "UTC"))
      "scheduler.use_cloud_tasks"           = tostring(try(local.scheduler.use_cloud_tasks, false))
      "scheduler.use_secret_manager"        = tostring(try(local.scheduler.use_secret_manager, false))
    },
    { for name, collector in local.collectors : "collectors.${name}.enabled" => tostring(collector.enabled) },
    { for name, collector in local.collectors : "collectors.${name}.schedule" => tostring(collector.schedule) },
    { for name, collector in local.collectors : "collectors.${name}.transport" => tostring(collector.transport) },
    local.addresses,
  )

  # Where a collector's URL may stand. Only the first place that says something counts, so a reference
  # that nobody gave a value is missed only there.
  addresses = merge(
    {
      "scheduler.base_function_url" = tostring(try(local.scheduler.base_function_url, ""))
      "scheduler.defaults.url"      = tostring(try(local.defaults.url, ""))
    },
    { for name in keys(local.collectors) : "collectors.${name}.url" => tostring(try(local.scheduler.collectors[name].url, "")) },
    { for name in keys(local.collectors) : "collector_urls.${name}" => tostring(try(local.scheduler.collector_urls[name], "")) },
  )

  # Each text cut into its references and what stands between them.
  pieces = {
    for key, text in local.written : key => regexall("\\$\\$|\\$\\{[^{}]*\\}|[^$]+|\\$", text == null ? "" : text)
  }

  # ${NAME}, ${NAME:-default}, ${NAME:?what to do}; null for what is none of them, a secret say.
  references = {
    for piece in distinct(flatten(values(local.pieces))) : piece => try(
      regex("(?s)^\\$\\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>.*)|:\\?(?P<advice>.*))?\\}$", piece), null
    ) if startswith(piece, "$${")
  }
  found = {
    for piece, reference in local.references : piece => try(
      coalesce(lookup(var.environment, reference.name, null), reference.default), reference.default
    ) if reference != null
  }

  meant = {
    for key, pieces in local.pieces : key => join("", [
      for piece in pieces : piece == "$$" ? "$" : (startswith(piece, "$${") ? try(coalesce(local.found[piece]), "") : piece)
    ])
  }

  # References that nobody gave a value, as `key: reference`. A disabled collector may lack anything.
  optional = setunion(keys(local.addresses), flatten([
    for name in keys(local.collectors) : ["collectors.${name}.schedule", "collectors.${name}.transport"]
    if !local.is_true["collectors.${name}.enabled"]
  ]))
  unfilled = {
    for key, pieces in local.pieces :
    key => [for piece in pieces : "${key}: ${piece}" if startswith(piece, "$${") && try(local.found[piece], null) == null]
  }
  missing = sort(flatten([for key, pieces in local.unfilled : contains(local.optional, key) ? [] : pieces]))

  # What is missing for a collector's URL: the references of the first place that says something, or
  # the variable in which a collector without any is looked up. The order is that of the code.
  variables = { for name in keys(local.collectors) : name => "${upper(replace(name, "-", "_"))}_COLLECTOR_URL" }
  says_url = merge(
    { for place in keys(local.addresses) : place => local.meant[place] != "" || length(local.unfilled[place]) > 0 },
    { for variable in distinct(values(local.variables)) : variable => lookup(var.environment, variable, "") != "" },
  )
  places = {
    for name, variable in local.variables : name => [
      for place in ["collectors.${name}.url", "collector_urls.${name}", variable, "scheduler.defaults.url", "scheduler.base_function_url"] :
      place if local.says_url[place]
    ]
  }
  without_url = sort(flatten([
    for name, places in local.places : length(places) == 0 ? [local.variables[name]] : try(tolist(local.unfilled[places[0]]), [])
    if local.is_true["collectors.${name}.enabled"]
  ]))

  truths  = ["true", "yes", "on", "1"]
  is_true = { for key, text in local.meant : key => contains(local.truths, lower(trimspace(text))) }

  # One cron, however it is spaced.
  crons = {
    for name, collector in local.collectors :
    name => join(" ", compact(split(" ", replace(local.meant["collectors.${name}.schedule"], "/\\s+/", " "))))
    if local.is_true["collectors.${name}.enabled"]
  }

  # A cron as a Scheduler job's name allows it: 15 3 * * 1-5 is 15_3_x_x_1-5.
  slugs = {
    for cron in distinct(compact(values(local.crons))) : cron => replace(
      replace(replace(replace(replace(cron, " ", "_"), "*", "x"), "/", "by"), ",", "and"), "/[^A-Za-z0-9_-]/", "-"
    )
  }

  keep = regexall("([0-9]+)([dhms])", local.meant["report.keep"])
  keep_seconds = sum(concat([0], [
    for part in local.keep : tonumber(part[0]) * { d = 86400, h = 3600, m = 60, s = 1 }[part[1]]
  ]))

  bucket = try(regex("^gs://(?P<name>[^/]+)/?(?P<folder>.*)$", local.meant["report.bucket"]), null)

  # With Secret Manager, and nothing else said, collectors are sent the bearer token of this name.
  token = "FUNCTION_AUTH_TOKEN"
  sends_token = local.is_true["scheduler.use_secret_manager"] && lookup(var.environment, local.token, "") == "" && anytrue([
    for name, collector in local.collectors : contains(["null", "\"bearer\""], collector.auth) if local.is_true["collectors.${name}.enabled"]
  ])

  # Secrets are found by their references wherever they stand: relays need those of collectors, the
  # aggregator those that tell people how a run ended.
  secrets = {
    for function, text in {
      collector_relay = jsonencode(local.scheduler)
      aggregator      = jsonencode(try(local.document.notify, {}))
      } : function => sort(distinct(concat(
        [for reference in regexall("\\$\\{secret:([A-Za-z0-9_-]+)(?:@[0-9]+)?\\}", text) : reference[0]],
        function == "collector_relay" && local.sends_token ? [local.token] : [],
    )))
  }

  # Which enabled collectors' jobs go by Cloud Tasks. As in fanfold/domain/rules/pacing.py, each transport has
  # its share of the calls where both are used; the queue's is rounded down.
  enabled  = [for name in keys(local.collectors) : name if local.is_true["collectors.${name}.enabled"]]
  by_tasks = [for name in local.enabled : name if try(coalesce(local.meant["collectors.${name}.transport"]), local.is_true["scheduler.use_cloud_tasks"] ? "cloud_tasks" : "pubsub") == "cloud_tasks"]
  is_mixed = length(local.by_tasks) > 0 && length(local.by_tasks) < length(local.enabled)

  calls     = tonumber(local.meant["scheduler.max_concurrent_collectors"])
  instances = ceil(local.calls / var.relay_concurrency_limit)
}
