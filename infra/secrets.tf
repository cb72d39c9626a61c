# Secrets are made by hand before the first apply (README.md): what Terraform makes stands in its
# state, and a function whose secret has no version yet does not deploy. Here is who reads which.

locals {
  # What a collector says is masked with its own secrets, whichever way it comes. So whoever takes
  # answers in reads what the relay reads: callbacks, and the aggregator where collectors publish.
  takes_answers = toset(concat(
    ["collector_relay"],
    keys(local.callbacks),
    length(var.async_collector_members.publish) == 0 ? [] : ["aggregator"],
  ))

  # As variables of a function, by the variable's name.
  secret_environment = merge(
    { FANFOLD_CALLBACK_KEY = merge(var.callback_key, { functions = toset(["aggregator", "callbacks", "collector_relay"]) }) },
    var.function_auth_token == null ? {} : {
      FUNCTION_AUTH_TOKEN = merge(var.function_auth_token, { functions = local.takes_answers })
    },
    {
      for name, each in var.secret_environment : name => merge(each, {
        functions = contains(each.functions, "collector_relay") ? setunion(each.functions, local.takes_answers) : each.functions
      })
    },
  )
  secret_environments = {
    for function in keys(local.functions) : function => {
      for name, each in local.secret_environment : name => each if contains(each.functions, function)
    }
  }

  # Read while working, where the configuration uses Secret Manager.
  secrets_asked = {
    for function in keys(local.functions) :
    function => module.shape.use_secret_manager ? distinct(concat(
      lookup(module.shape.secrets, function, []),
      contains(local.takes_answers, function) ? module.shape.secrets.collector_relay : [],
    )) : []
  }

  secret_readers = merge(flatten([
    for function in keys(local.functions) : {
      for secret in setunion(local.secrets_asked[function], [for each in local.secret_environments[function] : each.secret]) :
      "${function} reads ${secret}" => { account = function, secret = secret }
    }
  ])...)
}
