# A network as VPC modules usually make it: public, private and database subnets in two zones, an internet gateway, a
# NAT gateway with its address, a route table for each tier, the VPC's own group, ACL and main table adopted, and groups
# whose rules are written in both of the provider's ways.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "network" {
  description = "the first two numbers of the range"
  type        = string
  default     = "10.77"
}

variable "environment" {
  type    = string
  default = "test"
}

# Endpoint, region and keys come from the environment.
provider "aws" {
  default_tags {
    tags = {
      Environment = var.environment
    }
  }
}

data "aws_availability_zones" "here" {
  state = "available"
}

locals {
  zones = slice(data.aws_availability_zones.here.names, 0, 2)
  range = "${var.network}.0.0/16"
  tiers = {
    public   = 0
    private  = 1
    database = 2
  }
  subnets = merge([for tier, number in local.tiers : {
    for index, zone in local.zones : "${tier}-${index}" => {
      tier  = tier
      zone  = zone
      range = cidrsubnet(local.range, 8, number * 10 + index + 1)
    }
  }]...)
}

resource "aws_vpc" "this" {
  cidr_block           = local.range
  enable_dns_hostnames = true
  enable_dns_support   = true
  tags                 = { Name = "network" }
}

resource "aws_subnet" "this" {
  for_each                = local.subnets
  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.value.zone
  cidr_block              = each.value.range
  map_public_ip_on_launch = each.value.tier == "public"
  tags                    = { Name = each.key, Tier = each.value.tier }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "network" }
}

resource "aws_eip" "nat" {
  domain     = "vpc"
  tags       = { Name = "nat" }
  depends_on = [aws_internet_gateway.this]
}

resource "aws_nat_gateway" "this" {
  allocation_id = aws_eip.nat.id
  subnet_id     = aws_subnet.this["public-0"].id
  tags          = { Name = "nat" }
  depends_on    = [aws_internet_gateway.this]
}

resource "aws_route_table" "tier" {
  for_each = local.tiers
  vpc_id   = aws_vpc.this.id
  tags     = { Name = each.key }
}

resource "aws_route" "public" {
  route_table_id         = aws_route_table.tier["public"].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route" "private" {
  for_each               = toset(["private", "database"])
  route_table_id         = aws_route_table.tier[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this.id
}

resource "aws_route_table_association" "this" {
  for_each       = local.subnets
  subnet_id      = aws_subnet.this[each.key].id
  route_table_id = aws_route_table.tier[each.value.tier].id
}

# A table whose routes are written in it.
resource "aws_route_table" "inline" {
  vpc_id = aws_vpc.this.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.this.id
  }
  route {
    ipv6_cidr_block = "::/0"
    gateway_id      = aws_internet_gateway.this.id
  }
  tags = { Name = "inline" }
}

resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "default" }
}

resource "aws_default_route_table" "this" {
  default_route_table_id = aws_vpc.this.default_route_table_id
  tags                   = { Name = "default" }
}

resource "aws_default_network_acl" "this" {
  default_network_acl_id = aws_vpc.this.default_network_acl_id
  dynamic "ingress" {
    for_each = { 100 = ["0.0.0.0/0", null], 101 = [null, "::/0"] }
    content {
      rule_no         = ingress.key
      action          = "allow"
      protocol        = "-1"
      from_port       = 0
      to_port         = 0
      cidr_block      = ingress.value[0]
      ipv6_cidr_block = ingress.value[1]
    }
  }
  dynamic "egress" {
    for_each = { 100 = ["0.0.0.0/0", null], 101 = [null, "::/0"] }
    content {
      rule_no         = egress.key
      action          = "allow"
      protocol        = "-1"
      from_port       = 0
      to_port         = 0
      cidr_block      = egress.value[0]
      ipv6_cidr_block = egress.value[1]
    }
  }
  tags = { Name = "default" }
  lifecycle {
    ignore_changes = [subnet_ids]
  }
}

# Rules in the group.
resource "aws_security_group" "application" {
  name        = "application"
  description = "what talks to the database"
  vpc_id      = aws_vpc.this.id
  egress {
    description      = "out"
    from_port        = 0
    to_port          = 0
    protocol         = "-1"
    cidr_blocks      = ["0.0.0.0/0"]
    ipv6_cidr_blocks = ["::/0"]
  }
}

# Rules of their own.
resource "aws_security_group" "database" {
  name        = "database"
  description = "the database"
  vpc_id      = aws_vpc.this.id
}

resource "aws_vpc_security_group_ingress_rule" "application" {
  security_group_id            = aws_security_group.database.id
  referenced_security_group_id = aws_security_group.application.id
  description                  = "the application"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  tags                         = { Name = "application" }
}

resource "aws_vpc_security_group_egress_rule" "ipv6" {
  security_group_id = aws_security_group.database.id
  ip_protocol       = "-1"
  cidr_ipv6         = "::/0"
}

resource "aws_security_group_rule" "old" {
  security_group_id = aws_security_group.database.id
  type              = "egress"
  protocol          = "-1"
  from_port         = 0
  to_port           = 0
  cidr_blocks       = ["0.0.0.0/0"]
}

resource "aws_network_interface" "this" {
  subnet_id       = aws_subnet.this["private-0"].id
  security_groups = [aws_security_group.application.id]
  description     = "of the application"
}

resource "aws_db_subnet_group" "this" {
  name       = "network"
  subnet_ids = [for name, subnet in local.subnets : aws_subnet.this[name].id if subnet.tier == "database"]
}

output "nat_address" {
  value = aws_eip.nat.public_ip
}
