# The apps of bench/fleet_over_opentofu.py as OpenTofu declares them: as far as the providers allow it, what
# components/ declares for an app without a catalog.

terraform {
  required_providers {
    neon = {
      source = "kislerdm/neon"
    }
    postgresql = {
      source = "terraform-providers/postgresql"
    }
    random = {
      source = "hashicorp/random"
    }
  }
}

variable "organization" {
  type = string
}

variable "apps" {
  type = map(object({
    region                    = string
    postgres_version          = number
    history_retention         = number
    min_cu                    = number
    max_cu                    = number
    suspend_after             = number
    project                   = string
    owner                     = string
    group                     = string
    login                     = string
    database                  = string
    schema                    = string
    connection_limit          = number
    database_connection_limit = number
    statement_timeout         = number
  }))
}

provider "neon" {}

resource "neon_project" "app" {
  for_each                  = var.apps
  name                      = each.value.project
  org_id                    = var.organization
  region_id                 = each.value.region
  pg_version                = each.value.postgres_version
  history_retention_seconds = each.value.history_retention
  store_password            = "yes"
  branch {
    name      = "main"
    role_name = each.value.owner
  }
  default_endpoint_settings {
    autoscaling_limit_min_cu = each.value.min_cu
    autoscaling_limit_max_cu = each.value.max_cu
    suspend_timeout_seconds  = each.value.suspend_after
  }
}

# A provider is configured for one server, and each project is one.
provider "postgresql" {
  alias            = "of"
  for_each         = var.apps
  host             = neon_project.app[each.key].database_host
  port             = 5432
  database         = neon_project.app[each.key].database_name
  username         = each.value.owner
  password         = neon_project.app[each.key].database_password
  sslmode          = "require"
  superuser        = false
  max_connections  = 2
  connect_timeout  = 60
  expected_version = "${each.value.postgres_version}.0.0"
}

resource "random_password" "login" {
  for_each = var.apps
  length   = 40
  special  = false
}

resource "postgresql_role" "group" {
  for_each            = var.apps
  provider            = postgresql.of[each.key]
  name                = each.value.group
  login               = false
  skip_reassign_owned = true
}

resource "postgresql_role" "login" {
  for_each            = var.apps
  provider            = postgresql.of[each.key]
  name                = each.value.login
  login               = true
  password            = random_password.login[each.key].result
  connection_limit    = each.value.connection_limit
  roles               = [postgresql_role.group[each.key].name]
  search_path         = [each.value.schema, "public"]
  statement_timeout   = each.value.statement_timeout
  skip_reassign_owned = true
}

resource "postgresql_database" "app" {
  for_each         = var.apps
  provider         = postgresql.of[each.key]
  name             = each.value.database
  owner            = each.value.owner
  template         = "template0"
  encoding         = "UTF8"
  connection_limit = each.value.database_connection_limit
}

resource "postgresql_schema" "app" {
  for_each = var.apps
  provider = postgresql.of[each.key]
  name     = each.value.schema
  database = postgresql_database.app[each.key].name
  owner    = each.value.owner
  # This release of the provider grants on a schema nowhere else.
  policy {
    role  = postgresql_role.group[each.key].name
    usage = true
  }
}

resource "postgresql_grant" "connect" {
  for_each    = var.apps
  provider    = postgresql.of[each.key]
  database    = postgresql_database.app[each.key].name
  role        = postgresql_role.group[each.key].name
  object_type = "database"
  privileges  = ["CONNECT", "TEMPORARY"]
}

resource "postgresql_default_privileges" "tables" {
  for_each    = var.apps
  provider    = postgresql.of[each.key]
  database    = postgresql_database.app[each.key].name
  schema      = postgresql_schema.app[each.key].name
  owner       = each.value.owner
  role        = postgresql_role.group[each.key].name
  object_type = "table"
  privileges  = ["SELECT", "INSERT", "UPDATE", "DELETE"]
}

resource "postgresql_default_privileges" "sequences" {
  for_each    = var.apps
  provider    = postgresql.of[each.key]
  database    = postgresql_database.app[each.key].name
  schema      = postgresql_schema.app[each.key].name
  owner       = each.value.owner
  role        = postgresql_role.group[each.key].name
  object_type = "sequence"
  privileges  = ["USAGE", "SELECT", "UPDATE"]
}

resource "postgresql_default_privileges" "functions" {
  for_each    = var.apps
  provider    = postgresql.of[each.key]
  database    = postgresql_database.app[each.key].name
  schema      = postgresql_schema.app[each.key].name
  owner       = each.value.owner
  role        = postgresql_role.group[each.key].name
  object_type = "function"
  privileges  = ["EXECUTE"]
}
