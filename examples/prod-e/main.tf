# The stack prod-e: a Multi-AZ PostgreSQL 14.17 that only tasks in ecs-security-group can reach.
# Valid on AWS itself and on Howdah. On Howdah:
#
#   eval "$(howdah env)"       # AWS_ENDPOINT_URL, keys and region: the provider reads them by itself
#   terraform init && terraform apply
#
# The master password is generated and goes to Secrets Manager and to the instance as an ephemeral
# value: it is not in the state and not in a plan. That needs Terraform 1.11 or newer.

terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100"
    }
  }
}

variable "region" {
  description = "The region"
  type        = string
  default     = "us-west-2"
}

variable "network" {
  description = "The first two numbers of the VPC's addresses"
  type        = string
  default     = "10.0"
}

variable "identifier" {
  description = "The name of the DB instance"
  type        = string
  default     = "prod-e-db"
}

variable "engine_version" {
  description = "The PostgreSQL that runs"
  type        = string
  default     = "14.17"
}

variable "instance_class" {
  description = "The class of the DB instance"
  type        = string
  default     = "db.t3.micro"
}

variable "allocated_storage" {
  description = "Storage in GiB; it can only grow"
  type        = number
  default     = 20
}

variable "database_name" {
  description = "The database that is created with the instance"
  type        = string
  default     = "appdb"
}

variable "master_username" {
  description = "The master user; the password is generated and only in Secrets Manager"
  type        = string
  default     = "dbadmin"
}

variable "password_version" {
  description = "Count it up to have a new password generated"
  type        = number
  default     = 1
}

variable "backup_retention_period" {
  description = "Days for which the database can be restored to any second"
  type        = number
  default     = 7
}

variable "backup_window" {
  description = "When automated backups are made, UTC"
  type        = string
  default     = "06:00-06:30"
}

variable "maintenance_window" {
  description = "When changes that were put off are applied, UTC"
  type        = string
  default     = "sun:09:00-sun:09:30"
}

variable "deletion_protection" {
  description = "Whether the DB instance refuses to be deleted"
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of everything"
  type        = map(string)
  default     = { Stack = "prod-e" }
}

provider "aws" {
  region = var.region
  default_tags {
    tags = var.tags
  }
}

data "aws_availability_zones" "available" {
  state = "available"
}

# --- network

resource "aws_vpc" "this" {
  cidr_block           = "${var.network}.0.0/16"
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = "prod-e-vpc" }
}

resource "aws_subnet" "private_a" {
  vpc_id            = aws_vpc.this.id
  cidr_block        = "${var.network}.1.0/24"
  availability_zone = data.aws_availability_zones.available.names[0]
  tags              = { Name = "private-subnet-a" }
}

resource "aws_subnet" "private_b" {
  vpc_id            = aws_vpc.this.id
  cidr_block        = "${var.network}.2.0/24"
  availability_zone = data.aws_availability_zones.available.names[1]
  tags              = { Name = "private-subnet-b" }
}

resource "aws_security_group" "ecs" {
  name        = "ecs-security-group"
  description = "Tasks that may use the database"
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "ecs-security-group" }
}

resource "aws_vpc_security_group_egress_rule" "ecs_all" {
  security_group_id = aws_security_group.ecs.id
  description       = "Tasks may go anywhere"
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_security_group" "db" {
  name        = "db-security-group"
  description = "The database, open to ecs-security-group and to nothing else"
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "db-security-group" }
}

resource "aws_vpc_security_group_ingress_rule" "db_from_ecs" {
  security_group_id            = aws_security_group.db.id
  description                  = "PostgreSQL from ECS tasks"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  referenced_security_group_id = aws_security_group.ecs.id
}

resource "aws_db_subnet_group" "this" {
  name        = "db-subnet-group"
  description = "Private subnets of prod-e"
  subnet_ids  = [aws_subnet.private_a.id, aws_subnet.private_b.id]
}

# --- credentials

resource "aws_secretsmanager_secret" "credentials" {
  name                    = "prod-e/db-credentials"
  description             = "Master user of prod-e-db"
  recovery_window_in_days = 0
}

ephemeral "aws_secretsmanager_random_password" "generated" {
  password_length    = 32
  exclude_characters = "\"@/\\' "
}

# Written only when its version is counted up, whatever was generated since.
resource "aws_secretsmanager_secret_version" "credentials" {
  secret_id = aws_secretsmanager_secret.credentials.id
  secret_string_wo = jsonencode({
    username = var.master_username
    password = ephemeral.aws_secretsmanager_random_password.generated.random_password
    engine   = "postgres"
    dbname   = var.database_name
    port     = 5432
  })
  secret_string_wo_version = var.password_version
}

ephemeral "aws_secretsmanager_secret_version" "credentials" {
  secret_id  = aws_secretsmanager_secret_version.credentials.secret_id
  version_id = aws_secretsmanager_secret_version.credentials.version_id
}

# --- database

resource "aws_db_instance" "this" {
  identifier     = var.identifier
  engine         = "postgres"
  engine_version = var.engine_version
  instance_class = var.instance_class

  allocated_storage = var.allocated_storage
  storage_type      = "gp2"
  multi_az          = true

  db_name             = var.database_name
  port                = 5432
  username            = var.master_username
  password_wo         = jsondecode(ephemeral.aws_secretsmanager_secret_version.credentials.secret_string)["password"]
  password_wo_version = var.password_version

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.db.id]
  publicly_accessible    = false

  backup_retention_period    = var.backup_retention_period
  backup_window              = var.backup_window
  maintenance_window         = var.maintenance_window
  auto_minor_version_upgrade = false
  apply_immediately          = true
  deletion_protection        = var.deletion_protection
  skip_final_snapshot        = true
}

# --- what one wants to know

output "database_endpoint" {
  description = "Address of the database"
  value       = aws_db_instance.this.address
}

output "database_port" {
  description = "Port of the database"
  value       = aws_db_instance.this.port
}

output "database_resource_id" {
  description = "What stays when the database is renamed"
  value       = aws_db_instance.this.resource_id
}

output "credentials_secret_arn" {
  description = "The secret with user and password"
  value       = aws_secretsmanager_secret.credentials.arn
}

output "ecs_security_group_id" {
  description = "Tasks in this group reach the database"
  value       = aws_security_group.ecs.id
}
