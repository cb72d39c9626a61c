variable "config" {
  description = "Text of the configuration file, old or new dialect."
  type        = string
}

variable "environment" {
  description = "What $${X} in the configuration stands for. An empty value counts as missing."
  type        = map(string)
  default     = {}
}

variable "prefix" {
  description = "Names an environment: \"staging\" makes staging-run-requests. Empty for none."
  type        = string
  default     = ""
}

variable "relay_concurrency_limit" {
  description = "Most calls that one relay instance carries at once."
  type        = number
  default     = 80

  validation {
    condition     = var.relay_concurrency_limit >= 1 && var.relay_concurrency_limit <= 1000
    error_message = "Cloud Run allows 1 to 1000 requests at once in an instance."
  }
}

variable "topology" {
  description = "Text of topology.json."
  type        = string
}
